"""Who proposes: one file an algorithm, and a registry that is a dict.

A strategy joins by one file and one line below. Outside packages join by an entry point in the group
``nasbench.strategies``, and anything on disk by ``file.py:Name``.
"""

from __future__ import annotations

from nasbench.strategies.strategy import Card, ReportingStrategy, Setting, Strategy, StrategyFactory

__all__ = ["STRATEGIES", "Card", "ReportingStrategy", "Setting", "Strategy", "StrategyFactory"]

STRATEGIES: dict[str, str] = {
    "asha": "nasbench.strategies.asha:ASHA",
    "baker-stop": "nasbench.strategies.baker_stop:BakerStop",
    "bananas": "nasbench.strategies.bananas:Bananas",
    "bender-one-shot": "nasbench.strategies.bender_one_shot:BenderOneShot",
    "blockqnn": "nasbench.strategies.blockqnn:BlockQNN",
    "bohb": "nasbench.strategies.bohb:BOHB",
    "cgp": "nasbench.strategies.cgp:CGP",
    "darts": "nasbench.strategies.darts:DARTS",
    "darts-pt": "nasbench.strategies.darts_pt:DARTSPT",
    "darts-second-order": "nasbench.strategies.darts_second_order:DARTSSecondOrder",
    "dehb": "nasbench.strategies.dehb:DEHB",
    "domhan-stop": "nasbench.strategies.domhan_stop:DomhanStop",
    "drnas": "nasbench.strategies.drnas:DrNAS",
    "enas": "nasbench.strategies.enas:ENAS",
    "fixed": "nasbench.strategies.fixed:Fixed",
    "gdas": "nasbench.strategies.gdas:GDAS",
    "genetic-algorithm": "nasbench.strategies.genetic_algorithm:GeneticAlgorithm",
    "gp": "nasbench.strategies.gp:GP",
    "grid": "nasbench.strategies.grid:Grid",
    "hierarchical-evolution": "nasbench.strategies.hierarchical_evolution:HierarchicalEvolution",
    "hyperband": "nasbench.strategies.hyperband:Hyperband",
    "large-scale-evolution": "nasbench.strategies.large_scale_evolution:LargeScaleEvolution",
    "local-search": "nasbench.strategies.local_search:LocalSearch",
    "median-stop": "nasbench.strategies.median_stop:MedianStop",
    "metaqnn": "nasbench.strategies.metaqnn:MetaQNN",
    "nas-rl": "nasbench.strategies.nas_rl:NASRL",
    "nasbot": "nasbench.strategies.nasbot:NASBOT",
    "nasnet-ppo": "nasbench.strategies.nasnet_ppo:NASNetPPO",
    "nasp": "nasbench.strategies.nasp:NASP",
    "non-aging-evolution": "nasbench.strategies.non_aging_evolution:NonAgingEvolution",
    "nsga2": "nasbench.strategies.nsga2:NSGA2",
    "pc-darts": "nasbench.strategies.pc_darts:PCDARTS",
    "progressive-dynamic-hurdles": "nasbench.strategies.hurdles:ProgressiveDynamicHurdles",
    "proxylessnas": "nasbench.strategies.proxylessnas:ProxylessNAS",
    "random-search": "nasbench.strategies.random_search:RandomSearch",
    "random-search-ws": "nasbench.strategies.random_search_ws:RandomSearchWS",
    "regularized-evolution": "nasbench.strategies.regularized_evolution:RegularizedEvolution",
    "reinforce": "nasbench.strategies.reinforce:Reinforce",
    "sdarts": "nasbench.strategies.sdarts:SDARTS",
    "smac": "nasbench.strategies.smac:SMAC",
    "snas": "nasbench.strategies.snas:SNAS",
    "spos": "nasbench.strategies.spos:SPOS",
    "successive-halving": "nasbench.strategies.successive_halving:SuccessiveHalving",
    "tpe": "nasbench.strategies.tpe:TPE",
    "trpo": "nasbench.strategies.trpo:TRPO",
}
"""Name as people type it -> ``module:Class``, imported when asked for."""
