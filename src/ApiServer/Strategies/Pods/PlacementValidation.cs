using System.Globalization;
using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Affinity, tolerations, topology spread.</summary>
internal static class PlacementValidation
{
    public static IEnumerable<FieldError> Validate(Field spec) =>
        NodeAffinity(spec["affinity"]["nodeAffinity"])
            .Concat(PodAffinity(spec["affinity"]["podAffinity"]))
            .Concat(PodAffinity(spec["affinity"]["podAntiAffinity"]))
            .Concat(spec["tolerations"].Each(Toleration))
            .Concat(Spread(spec["topologySpreadConstraints"]));

    public static IEnumerable<FieldError> NodeSelector(Field selector)
    {
        if (selector["nodeSelectorTerms"].IsBlank)
            yield return selector["nodeSelectorTerms"].Required("must have at least one node selector term");
        foreach (var error in selector["nodeSelectorTerms"].Each(NodeSelectorTerm))
            yield return error;
    }

    private static IEnumerable<FieldError> NodeAffinity(Field affinity) =>
        NodeSelector(affinity["requiredDuringSchedulingIgnoredDuringExecution"])
            .Concat(affinity["preferredDuringSchedulingIgnoredDuringExecution"].Each(term => Weight(term).Concat(NodeSelectorTerm(term["preference"]))));

    private static IEnumerable<FieldError> NodeSelectorTerm(Field term) =>
        term["matchExpressions"].Each(NodeRequirement).Concat(term["matchFields"].Each(FieldRequirement));

    private static IEnumerable<FieldError> NodeRequirement(Field requirement)
    {
        var (op, values) = (requirement["operator"].Text, requirement["values"]);
        if (requirement["key"].Text is { } key && NameRules.QualifiedName(key) is { } wrong)
            yield return requirement["key"].Invalid(wrong);
        switch (op)
        {
            case "In" or "NotIn" when values.Count == 0:
                yield return values.Required("must be specified when `operator` is 'In' or 'NotIn'");
                break;
            case "Exists" or "DoesNotExist" when values.Count > 0:
                yield return values.Forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                break;
            case "Gt" or "Lt" when values.Count != 1:
                yield return values.Required("must be specified single value when `operator` is 'Lt' or 'Gt'");
                break;
            case "Gt" or "Lt" when !long.TryParse(values.Items.First().Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _):
                yield return values.Items.First().Invalid("must be an integer");
                break;
        }
    }

    private static IEnumerable<FieldError> FieldRequirement(Field requirement)
    {
        if (requirement["operator"].Text is not (null or "In" or "NotIn"))
            yield return requirement["operator"].Invalid("not a valid selector operator");
        if (requirement["values"].Count != 1)
            yield return requirement["values"].Required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
        if (requirement["key"].Text is not (null or "metadata.name"))
            yield return requirement["key"].Invalid("not a valid field selector key");
    }

    private static IEnumerable<FieldError> PodAffinity(Field affinity) =>
        affinity["requiredDuringSchedulingIgnoredDuringExecution"].Each(PodTerm)
            .Concat(affinity["preferredDuringSchedulingIgnoredDuringExecution"].Each(term => Weight(term).Concat(PodTerm(term["podAffinityTerm"]))));

    private static IEnumerable<FieldError> PodTerm(Field term) =>
        SelectorRules.Validate(term["labelSelector"])
            .Concat(SelectorRules.Validate(term["namespaceSelector"]))
            .Concat(term["namespaces"].Each(ns => Rules.Named(ns, NameRules.DnsLabel)))
            .Concat(TopologyKey(term["topologyKey"]));

    private static IEnumerable<FieldError> TopologyKey(Field key)
    {
        if (key.IsBlank)
            yield return key.Required("can not be empty");
        else if (key.Text is { } text && NameRules.QualifiedName(text) is { } wrong)
            yield return key.Invalid(wrong);
    }

    private static IEnumerable<FieldError> Weight(Field term)
    {
        if (term["weight"].Number is < 1 or > 100)
            yield return term["weight"].Invalid("must be in the range 1-100");
    }

    private static IEnumerable<FieldError> Toleration(Field toleration)
    {
        var (key, op) = (toleration["key"], toleration["operator"].TextOrEmpty);
        foreach (var error in Rules.Optional(key, NameRules.QualifiedName))
            yield return error;
        if (key.TextOrEmpty.Length == 0 && op != "Exists")
            yield return toleration["operator"].Invalid("operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        if (toleration["tolerationSeconds"].Exists && toleration["effect"].Text != "NoExecute")
            yield return toleration["effect"].Invalid("effect must be 'NoExecute' when `tolerationSeconds` is set");
        if (op is "" or "Equal" && NameRules.LabelValue(toleration["value"].TextOrEmpty) is { } wrong)
            yield return toleration["value"].Invalid(wrong);
        if (op == "Exists" && toleration["value"].TextOrEmpty.Length > 0)
            yield return toleration.Invalid("value must be empty when `operator` is 'Exists'");
    }

    private static IEnumerable<FieldError> Spread(Field constraints)
    {
        var seen = new HashSet<(string, string)>();
        foreach (var constraint in constraints.Items)
        {
            var when = constraint["whenUnsatisfiable"].TextOrEmpty;
            if (constraint["maxSkew"].Number <= 0)
                yield return constraint["maxSkew"].Invalid("must be greater than zero");
            if (constraint["minDomains"].Number <= 0)
                yield return constraint["minDomains"].Invalid("must be greater than zero");
            if (constraint["minDomains"].Exists && when != "DoNotSchedule")
                yield return constraint["minDomains"].Invalid("can only use minDomains if whenUnsatisfiable=DoNotSchedule");
            foreach (var error in TopologyKey(constraint["topologyKey"]).Concat(SelectorRules.Validate(constraint["labelSelector"])))
                yield return error;
            if (!seen.Add((constraint["topologyKey"].TextOrEmpty, when)))
                yield return FieldError.Duplicate($"{constraint.Path}.{{topologyKey, whenUnsatisfiable}}", $"\"{{{constraint["topologyKey"].Text}, {when}}}\"");
        }
    }
}
