using Weft.Api.Core;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Matching;

/// <summary>One term of a node selector: all of it must match. An empty term matches no node.</summary>
internal sealed class NodeTerm
{
    private const string NameField = "metadata.name"; // the only field that Kubernetes knows here

    private readonly Requirement[] _labels;
    private readonly Requirement[] _fields;

    public NodeTerm(NodeSelectorTerm term)
    {
        _labels = [.. term.MatchExpressions.Select(one => new Requirement(one.Key, one.Operator, one.Values))];
        _fields = [.. term.MatchFields.Select(one => new Requirement(one.Key, one.Operator, one.Values))];
    }

    public bool IsEmpty => _labels.Length == 0 && _fields.Length == 0;

    /// <summary>The nodes it can match, where it names them; null for any.</summary>
    public IReadOnlyList<string>? Names => _fields.FirstOrDefault(one => one is { Key: NameField, Operator: "In" })?.Values;

    public bool Matches(NodeInfo node)
    {
        if (IsEmpty)
            return false;
        foreach (var one in _labels)
        {
            if (!one.Matches(node.Labels))
                return false;
        }

        foreach (var one in _fields)
        {
            if (one.Key != NameField || !one.Matches(node.Name))
                return false;
        }

        return true;
    }
}

/// <summary>The node selector and the required node affinity of a pod.</summary>
internal sealed class NodeMatcher
{
    private readonly KeyValuePair<string, string>[] _labels;
    private readonly NodeTerm[]? _terms;

    private NodeMatcher(KeyValuePair<string, string>[] labels, NodeTerm[]? terms) => (_labels, _terms) = (labels, terms);

    /// <summary>Null when any node will do.</summary>
    public static NodeMatcher? Required(PodSpec spec)
    {
        var required = spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution;
        if (spec.NodeSelector.Count == 0 && required is null)
            return null;
        return new([.. spec.NodeSelector], required is null ? null : [.. required.NodeSelectorTerms.Select(term => new NodeTerm(term))]);
    }

    /// <summary>The nodes it can match, where every term names them; null for any.</summary>
    public IReadOnlyList<string>? Names
    {
        get
        {
            if (_terms is null || _terms.Length == 0 || _terms.Any(term => term.Names is null))
                return null;
            return [.. _terms.SelectMany(term => term.Names!).Distinct(StringComparer.Ordinal)];
        }
    }

    public bool Matches(NodeInfo node)
    {
        foreach (var (key, value) in _labels)
        {
            if (!node.Labels.TryGetValue(key, out var actual) || actual != value)
                return false;
        }

        if (_terms is null)
            return true;
        foreach (var term in _terms)
        {
            if (term.Matches(node))
                return true;
        }

        return false;
    }
}

/// <summary>A preferred term and its weight.</summary>
internal sealed record PreferredNodes(int Weight, NodeTerm Term)
{
    /// <summary>Null when there are none; empty terms say nothing.</summary>
    public static List<PreferredNodes>? Of(PodSpec spec)
    {
        List<PreferredNodes>? found = null;
        foreach (var preferred in spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution ?? [])
        {
            var term = new NodeTerm(preferred.Preference);
            if (preferred.Weight > 0 && !term.IsEmpty)
                (found ??= []).Add(new(preferred.Weight, term));
        }

        return found;
    }
}
