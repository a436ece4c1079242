"""The face of the program of NAS-Bench-101 (google-research/nasbench); scripts import ``nasbench.api``."""
