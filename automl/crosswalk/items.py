"""What laws and frameworks ask of an audit, item by item: where the evidence for it is, in which section of a report it stands, and what only people can say.

The rows are those of the project's specification (audit-report.md, part b). Nothing here says that anything is met; whether a law is in force is not known here either.
"""

from __future__ import annotations

from dataclasses import dataclass

LAW_NAMES = {
    "nyc-ll144": "New York City Local Law 144", "ugesp": "Uniform Guidelines on Employee Selection Procedures", "reg-b": "Regulation B, adverse action", "eu-ai-act": "EU AI Act",
    "gdpr": "GDPR", "sr-26-2": "SR 26-2", "nist-ai-rmf": "NIST AI RMF", "iso-42001": "ISO/IEC 42001", "iso-ai-standards": "ISO/IEC 23894, TR 24027, TS 12791, TS 4213",
    "co-sb-26-189": "Colorado SB 26-189", "ai-verify": "AI Verify", "model-card": "Model card (Mitchell et al.)", "hf-model-index": "Hugging Face model-index",
    "datasheet": "Datasheets for datasets", "factsheet": "FactSheets",
}
"""By the identifiers of `auditapp/law_status.json`, in the order of the table."""

@dataclass(frozen=True)
class Item:
    """``evidence``: JSON pointers into the document. ``statements``: fields that a person fills. ``absent``: what it also asks for and this version does not measure.
    ``outside``: why an audit cannot hold it at all. ``sections``: numbers of the report's sections that hold it."""

    law: str
    item: str
    sections: tuple[int, ...]
    evidence: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    absent: str = ""
    outside: str = ""


NO_COMPARISON = "reports of earlier audits are not compared in this version"
NO_MONITORING = "the system in use is not monitored in this version"
NO_ENERGY = "energy was not measured"
NO_ATTACKS = "poisoning and evasion were not tried"
NO_FEEDBACK = "whether outputs become later inputs was not looked at"
DISTURBED = ("/robustness/noise", "/robustness/missing", "/robustness/rounding")

ITEMS: tuple[Item, ...] = (
    Item("nyc-ll144", "5-300 independence of the auditor", (1,), (), ("auditor", "independence", "independence_use", "independence_employment", "independence_interest")),
    Item("nyc-ll144", "5-301(a) age of the audit, at most one year", (1, 17), ("/provenance/finished_at",)),
    Item("nyc-ll144", "5-301(b)(1)(2), (c)(1)-(3) rates, median, impact ratios", (6,), ("/local_law_144",)),
    Item("nyc-ll144", "5-301(b)(4) each class of a classifier", (6,), ("/local_law_144",)),
    Item("nyc-ll144", "5-301(b)(5), (c)(5) people of unknown category", (6,), ("/local_law_144/unknown",)),
    Item("nyc-ll144", "5-301(d) categories below 2 % left out", (6,), ("/local_law_144/excluded",)),
    Item("nyc-ll144", "5-302 data class, and why test data", (4, 6), ("/local_law_144/data_class",), ("data_class",)),
    Item("nyc-ll144", "5-303 summary and distribution date", (1, 6), ("/local_law_144",), ("distribution_date",)),
    Item("nyc-ll144", "5-304 notices", (6,), (), ("notices",)),
    Item("ugesp", "4D four fifths, significance, small numbers", (6, 7), ("/fairness/limit",)),
    Item("ugesp", "section 5 validity, where impact is found", (6,), (), ("job_relatedness",)),
    Item("reg-b", "1002.9(b)(2) specific principal reasons", (11,), ("/reasons/policy", "/reasons/quality", "/reasons/table"), ("reason_table_approval",)),
    Item("reg-b", "1002.12 retention", (17,), (), ("retention",)),
    Item("eu-ai-act", "Annex IV 1(a) purpose, provider, version", (1, 3), ("/run", "/provenance/code_version"), ("system", "provider", "purpose")),
    Item("eu-ai-act", "Annex IV 1(b)(d)(g)(h) interaction, forms, user interface, instructions", (3,), (), ("deployment_forms", "instructions_for_use")),
    Item("eu-ai-act", "Annex IV 1(c)(e) software versions, hardware", (17,), ("/provenance/libraries", "/provenance/hardware")),
    Item("eu-ai-act", "Annex IV 1(f) photographs", (), outside="a model is no product with a look of its own"),
    Item("eu-ai-act", "Annex IV 2(a) development steps, tools of third parties", (5, 17), ("/search", "/provenance/libraries"), ("third_party",)),
    Item("eu-ai-act", "Annex IV 2(b) logic, choices, what it is optimised for, trade-offs", (5, 10, 14), ("/search", "/explanation", "/mitigation"), ("design_rationale",)),
    Item("eu-ai-act", "Annex IV 2(c) architecture, compute", (5, 17), ("/search/ensemble", "/provenance/hardware"), ("design_rationale",)),
    Item("eu-ai-act", "Annex IV 2(d) data, provenance, labelling, cleaning", (4,), ("/data",), ("data_origin", "labelling", "known_gaps")),
    Item("eu-ai-act", "Annex IV 2(e) assessment of human oversight", (13,), (), ("oversight", "automation_bias")),
    Item("eu-ai-act", "Annex IV 2(f) changes foreseen", (17,), (), ("change_plan",)),
    Item("eu-ai-act", "Annex IV 2(g) validation, metrics, discriminatory impact, dated and signed test reports", (5, 6, 8, 17, 18), ("/performance", "/fairness", "/provenance"),
         ("responsible_person", "responsible_statement")),
    Item("eu-ai-act", "Annex IV 2(h) cybersecurity", (12,), ("/provenance/libraries",), ("cybersecurity",), NO_ATTACKS),
    Item("eu-ai-act", "Annex IV 3 capabilities, limits, accuracy by group, unintended outcomes", (5, 8, 12, 15), ("/performance/by_group", "/slices", "/robustness"), ("unintended",)),
    Item("eu-ai-act", "Annex IV 4 why the metrics are appropriate", (5, 8), (), ("metric_rationale", "error_costs", "governing_metric")),
    Item("eu-ai-act", "Annex IV 5 risk management (Art. 9)", (13, 15), ("/findings",), ("risk_register", "residual_risk")),
    Item("eu-ai-act", "Annex IV 6 changes over the lifecycle", (17,), ("/plan/audit_number",), ("lifecycle_changes",), NO_COMPARISON),
    Item("eu-ai-act", "Annex IV 7, 8, 9 standards, declaration of conformity, post-market plan", (17,), (), ("standards", "monitoring_plan")),
    Item("eu-ai-act", "Art. 10(2)(a)(b)(d)(e)(h) choices, origin, assumptions, suitability, gaps", (4,), ("/data",), ("data_origin", "data_suitability", "known_gaps")),
    Item("eu-ai-act", "Art. 10(2)(c) preparation", (4,), ("/data/left_out", "/data/quality", "/data/columns")),
    Item("eu-ai-act", "Art. 10(2)(f) examination for bias", (6, 7, 8, 10), ("/fairness", "/explanation")),
    Item("eu-ai-act", "Art. 10(2)(g) mitigation", (14,), ("/mitigation",), ("mitigation_choice",)),
    Item("eu-ai-act", "Art. 10(3) representative data", (4, 12), ("/data/target", "/robustness/shift", "/data/representation")),
    Item("eu-ai-act", "Art. 10(4) setting; 10(5) special categories of data", (3, 4), (), ("setting", "special_data_necessity")),
    Item("eu-ai-act", "Art. 12 logs of the audit; 18, 19 keeping", (17,), ("/provenance", "/plan", "/run/log"), ("retention",)),
    Item("eu-ai-act", "Art. 12 logs of the system in use", (), outside="the system in use keeps its own"),
    Item("eu-ai-act", "Art. 13(3)(b)(ii)(iv)-(vii) accuracy, explanation, groups, input data, how to read the output", (4, 5, 8, 10), ("/performance", "/explanation", "/data/columns")),
    Item("eu-ai-act", "Art. 13(3)(a)(c)-(f), 14, 26, 27 provider, changes, oversight, deployer, impact", (3, 13), (), ("provider", "change_plan", "oversight", "deployer", "impact_assessment")),
    Item("eu-ai-act", "Art. 15(1)-(3) accuracy, declared", (5,), ("/performance",)),
    Item("eu-ai-act", "Art. 15(4) robustness, feedback", (12,), DISTURBED, ("fallback",), NO_FEEDBACK),
    Item("eu-ai-act", "Art. 15(5) attacks", (12,), ("/robustness/membership", "/provenance/libraries"), ("cybersecurity",), NO_ATTACKS),
    Item("eu-ai-act", "Art. 86 explanation of a decision", (11,), ("/reasons",), ("contest_route",)),
    Item("gdpr", "13(2)(f), 14(2)(g), 15(1)(h) logic, significance, consequences", (10, 11), ("/explanation", "/reasons"), ("consequences",)),
    Item("gdpr", "22(3) human intervention, contest", (13,), (), ("contest_route", "oversight")),
    Item("sr-26-2", "development, conceptual soundness", (5, 10), ("/search", "/explanation"), ("design_rationale",)),
    Item("sr-26-2", "validation, outcomes analysis, benchmarks", (5, 8, 12), ("/performance", "/performance/baselines", "/performance/calibration", *DISTURBED)),
    Item("sr-26-2", "inventory, materiality, governance, challenge", (13,), (), ("materiality", "challenger")),
    Item("sr-26-2", "monitoring plan", (17,), (), ("monitoring_plan",), NO_MONITORING),
    Item("nist-ai-rmf", "MAP 1.1, 2.1, 3.3, 5.1 purpose, task, scope, impacts", (3,), (), ("purpose", "intended_use", "affected_persons", "impact_assessment")),
    Item("nist-ai-rmf", "MAP 2.2 limits of knowledge; 2.3 test and data integrity; 4.1, 4.2 third parties", (4, 15, 17), ("/design", "/data", "/provenance/libraries"), ("known_gaps", "third_party")),
    Item("nist-ai-rmf", "MEASURE 1.1 metrics chosen, risks that are not measured", (5, 15), ("/performance", "/plan"), ("metric_rationale",)),
    Item("nist-ai-rmf", "MEASURE 1.3 independent assessors", (1,), (), ("auditor", "independence")),
    Item("nist-ai-rmf", "MEASURE 2.1 test sets and tools; 2.3 performance; 2.5 validity, limits", (4, 5, 12, 17), ("/data/split", "/performance", "/robustness", "/provenance/libraries")),
    Item("nist-ai-rmf", "MEASURE 2.4 production monitoring; 3.1 tracking", (17,), (), ("monitoring_plan",), NO_MONITORING),
    Item("nist-ai-rmf", "MEASURE 2.6 safety; 2.7 security and resilience", (12,), (*DISTURBED, "/provenance/libraries"), ("cybersecurity", "fallback"), NO_ATTACKS),
    Item("nist-ai-rmf", "MEASURE 2.8 transparency", (3,), (), ("instructions_for_use", "contest_route")),
    Item("nist-ai-rmf", "MEASURE 2.9 explained", (10,), ("/explanation",)),
    Item("nist-ai-rmf", "MEASURE 2.10 privacy", (12,), ("/robustness/membership",), ("lawful_basis",)),
    Item("nist-ai-rmf", "MEASURE 2.11 fairness", (6, 7, 8, 9), ("/fairness", "/performance/by_group")),
    Item("nist-ai-rmf", "MEASURE 2.12 environment", (17,), ("/provenance/hardware", "/provenance/seconds"), absent=NO_ENERGY),
    Item("nist-ai-rmf", "MEASURE 2.13 effectiveness of the tests", (6, 12), ("/fairness", "/robustness/operating_characteristics")),
    Item("nist-ai-rmf", "MANAGE 1.1, 1.2-1.4, 2.4, 4.1 go or not, responses, residual risk, switch-off, after deployment", (13,), ("/findings",),
         ("go_decision", "risk_register", "residual_risk", "fallback", "monitoring_plan")),
    Item("iso-42001", "A.4.2-4.4, A.6.2.3, 6.2.4, 6.2.7, 6.2.8, A.7.4-7.6 resources, verification, documentation, logs, data", (4, 5, 6, 17), ("/provenance", "/run/log", "/search", "/performance", "/fairness", "/data")),
    Item("iso-42001", "A.5.2-5.5, A.6.2.6, A.8.2-8.5, A.9.4, A.10 impact, operation, information, intended use, third parties", (3, 13), (), ("impact_assessment", "instructions_for_use", "intended_use", "provider", "third_party")),
    Item("iso-ai-standards", "risk process, bias metrics, treatment, classifier metrics", (5, 6, 8, 14), ("/findings", "/fairness", "/mitigation", "/performance"), ("risk_register",)),
    Item("co-sb-26-189", "1702 documentation of the developer: uses, data, limits, review, versions", (3, 4, 15), ("/data", "/provenance"), ("purpose", "intended_use", "human_review", "system")),
    Item("co-sb-26-189", "1704 notice after an adverse decision, in 30 days", (11,), ("/reasons",), ("contest_route",)),
    Item("co-sb-26-189", "1705 correction of data, human review", (11, 13), (), ("contest_route", "human_review")),
    Item("ai-verify", "technical tests: fairness, explainability, robustness", (6, 10, 12), ("/fairness", "/explanation", *DISTURBED)),
    Item("ai-verify", "process checks on the other principles", (13,), (), ("oversight", "risk_register")),
    Item("model-card", "details, use, factors, metrics, evaluation and training data, quantitative analyses, ethics, caveats", (1, 3, 4, 5, 6, 9, 15), ("/performance", "/data", "/fairness"),
         ("system", "purpose", "foreseeable_misuse", "affected_persons")),
    Item("hf-model-index", "results: task, dataset, metrics", (5,), ("/performance/metrics",)),
    Item("datasheet", "motivation, composition, collection, preparation, uses, distribution, maintenance", (4,), ("/data",), ("data_origin", "labelling", "lawful_basis", "known_gaps")),
    Item("factsheet", "purpose, performance, safety, security, lineage", (3, 5, 12, 17), ("/performance", "/robustness", "/provenance"), ("purpose", "cybersecurity")),
)
