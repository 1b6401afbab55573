"""The Evidence document: types only, no maths. One file a section; `document` puts them together."""

from automl.canonical import canonical_json, digest_of, measured_digest_of, repeatable_part
from automl.evidence.blocks import Estimate, Finding, Measured, NotMeasured, Part, Ratio, RatioLabel, Severity, Test, Value
from automl.evidence.cohorts import Cohort, CohortAttribute, CohortErrors, CohortGroup, CohortsSection
from automl.evidence.data import (
    Bar,
    Column,
    ColumnProfile,
    ColumnType,
    DataSection,
    DatasetProfile,
    LeftOut,
    MissingByGroup,
    ProposedRole,
    Representation,
    RepresentedGroup,
    SplitInfo,
    TableReading,
    TargetInfo,
)
from automl.evidence.dependence import Dependence, DependencePoint, DependenceSection
from automl.evidence.document import (
    SCHEMA_VERSION,
    Chart,
    Charts,
    ChartTable,
    CrosswalkRow,
    CrosswalkSection,
    DesignSection,
    Evidence,
    Plan,
    Provenance,
    RunInfo,
    RunKind,
)
from automl.evidence.explanation import (
    Background,
    Contribution,
    Example,
    ExplanationSection,
    FeatureImportance,
    GapShare,
    GroupImportance,
    Points,
    ScoreGap,
)
from automl.evidence.export import OnnxExport
from automl.evidence.fairness import (
    Attribute,
    AttributeSummary,
    ErrorRates,
    FairnessByClass,
    FairnessSection,
    Family,
    Gaps,
    GoverningChoice,
    GoverningMeasure,
    GoverningRow,
    Group,
    GroupCalibration,
    RatioLimit,
    ScoreOutcome,
    ScoreSpread,
    Shortfall,
    UnknownBand,
    VersusRest,
)
from automl.evidence.front import Front, FrontAttribute, FrontGap, FrontGroup, FrontModel
from automl.evidence.importance import DrawStability, PermutationImportance, PermutedInput, RankRange, RankStability, RelatedGroup, RelatedInputs, Spread
from automl.evidence.local_law_144 import LawClass, LawExclusion, LawMedian, LawRow, LawTable, LawUnmapped, LocalLaw144Section
from automl.evidence.mitigation import (
    Alternative,
    Change,
    Criterion,
    CutRule,
    CutStep,
    Deployed,
    DeployedAttribute,
    FairnessChange,
    GroupGapChanges,
    GroupGaps,
    GroupRateChanges,
    GroupRates,
    MitigationBudget,
    MitigationMethod,
    MitigationSection,
    NotTried,
    OutOfFoldResult,
    ParetoFront,
    PeopleChanged,
    RateSpread,
)
from automl.evidence.performance import Calibration, CalibrationBin, Confusion, Curve, GroupPerformance, PerformanceSection, Threshold
from automl.evidence.proxies import ProxyFeature, ProxyGroup, ProxyScan
from automl.evidence.reasons import (
    ChangedColumn,
    Counterfactual,
    CounterfactualQuality,
    ReasonExample,
    ReasonQuality,
    ReasonRow,
    ReasonRules,
    ReasonShare,
    ReasonsSection,
    StatedReason,
    Wording,
)
from automl.evidence.robustness import (
    AttributeChange,
    AttributeLevels,
    CutPoint,
    FlippedNumber,
    FlipStep,
    GroupChange,
    GroupLevel,
    GroupShare,
    LabelChance,
    LabelFlips,
    LowestRatio,
    Membership,
    ModelSpread,
    NoisyLabels,
    OperatingCharacteristics,
    OutsideOfTraining,
    Perturbation,
    PerturbationStep,
    RobustnessSection,
    SharedRows,
    Shift,
    ShiftedFeature,
    Stretch,
    ThresholdCurve,
    TimeOrder,
    Undisturbed,
    Variation,
)
from automl.evidence.search import EnsembleMember, LeaderboardRow, ProbabilityCalibration, SearchSection, Trial
from automl.evidence.slices import Slice, SlicesSection

__all__ = [
    "SCHEMA_VERSION", "Attribute", "AttributeSummary", "Background", "Bar", "Calibration", "CalibrationBin", "Chart", "ChartTable", "Charts",
    "Column", "ColumnProfile", "ColumnType", "Confusion", "Contribution", "CrosswalkRow", "CrosswalkSection", "Curve", "DataSection",
    "DatasetProfile", "DesignSection", "EnsembleMember", "ErrorRates", "Estimate", "Evidence", "Example", "ExplanationSection",
    "FairnessByClass", "FairnessSection", "Family", "FeatureImportance", "Finding", "Front", "FrontAttribute", "FrontGap", "FrontGroup", "FrontModel",
    "GapShare", "Gaps", "GoverningChoice", "GoverningMeasure", "GoverningRow", "Group", "GroupCalibration", "GroupImportance", "GroupPerformance", "LawClass", "LawExclusion", "LawMedian", "LawRow", "LawTable", "LawUnmapped", "LeaderboardRow", "LeftOut", "LocalLaw144Section", "Measured", "MissingByGroup", "NotMeasured", "OnnxExport", "Part", "PerformanceSection", "Plan",
    "Points", "ProbabilityCalibration", "ProposedRole", "Provenance", "Ratio", "RatioLabel", "RatioLimit", "RunInfo", "RunKind", "Representation", "RepresentedGroup", "ScoreGap", "ScoreOutcome", "ScoreSpread",
    "SearchSection", "Severity", "Shortfall", "SplitInfo", "TableReading", "TargetInfo", "Test", "Threshold", "Trial", "UnknownBand",
    "ChangedColumn", "Counterfactual", "CounterfactualQuality", "ReasonExample", "ReasonQuality", "ReasonRow", "ReasonRules", "ReasonShare", "ReasonsSection", "StatedReason", "Wording",
    "Value", "VersusRest", "canonical_json", "digest_of", "measured_digest_of", "repeatable_part",
    # where it fails
    "AttributeChange", "AttributeLevels", "CutPoint", "FlipStep", "FlippedNumber", "GroupChange", "GroupLevel", "GroupShare", "LabelChance", "LabelFlips", "LowestRatio", "Membership", "ModelSpread", "NoisyLabels", "OperatingCharacteristics", "OutsideOfTraining", "Perturbation", "PerturbationStep", "RobustnessSection", "SharedRows", "Shift", "ShiftedFeature", "Stretch", "ThresholdCurve", "TimeOrder", "Undisturbed", "Variation", "Slice", "SlicesSection",
    "Cohort", "CohortAttribute", "CohortErrors", "CohortGroup", "CohortsSection",
    "Alternative", "Change", "Criterion", "CutRule", "CutStep", "Deployed", "DeployedAttribute", "FairnessChange", "GroupGapChanges", "GroupGaps", "GroupRateChanges", "GroupRates",
    "MitigationBudget", "MitigationMethod", "MitigationSection", "NotTried", "OutOfFoldResult", "ParetoFront", "PeopleChanged", "RateSpread",
    "Dependence", "DependencePoint", "DependenceSection", "DrawStability", "PermutationImportance", "PermutedInput", "ProxyFeature", "ProxyGroup", "ProxyScan", "RankRange",
    "RankStability", "RelatedGroup", "RelatedInputs", "Spread",
]
