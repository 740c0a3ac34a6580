using System.Text.Json.Nodes;
using Weft.Api.Selectors;
using Weft.Api.Trees;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Webhooks;

/// <summary>Which requests a webhook or policy is about.</summary>
/// <param name="Exact">Whether rules mean the very version that they name.</param>
internal sealed record AdmissionRules(
    IReadOnlyList<AdmissionRule> Rules, IReadOnlyList<AdmissionRule> Excluded, bool Exact, LabelQuery NamespaceSelector, LabelQuery ObjectSelector)
{
    /// <param name="tree">A webhook, or the matchConstraints of a policy.</param>
    /// <param name="rules">The member with the rules.</param>
    public static AdmissionRules Read(JsonObject tree, string rules) => new(
        AdmissionRule.ReadAll(tree[rules]), AdmissionRule.ReadAll(tree["excludeResourceRules"]), tree["matchPolicy"].AsText() == "Exact", Selector(tree["namespaceSelector"]), Selector(tree["objectSelector"]));

    private static LabelQuery Selector(JsonNode? selector) => selector is null ? LabelQuery.Everything : LabelQuery.FromSelector(selector);

    /// <summary>The version of the resource in which a rule means the request, or null when none does.</summary>
    public ResourceInfo? Version(AdmissionRequest request, IResourceCatalog catalog)
    {
        var served = request.Served!;
        if (Excluded.Any(rule => rule.Matches(request, served)))
            return null;
        if (Rules.Any(rule => rule.Matches(request, served)))
            return served;
        if (Exact)
            return null;
        // The same objects, by the name of another version.
        var others = catalog.Current.All.Where(other => other.Resource.Group == served.Resource.Group && other.Resource.Resource == served.Resource.Resource && other.Resource.Version != served.Resource.Version);
        return others.FirstOrDefault(other => Rules.Any(rule => rule.Matches(request, other)) && !Excluded.Any(rule => rule.Matches(request, other)));
    }

    public bool SelectsNamespace(AdmissionRequest request, JsonObject? ns)
    {
        if (NamespaceSelector.IsEverything)
            return true;
        // A namespace is judged by its own labels; what lies in none is always meant.
        if (request.Resource is { Group: "", Resource: "namespaces" })
            return Matches(NamespaceSelector, request.Object ?? request.OldObject);
        return request.Namespace.Length == 0 || Matches(NamespaceSelector, ns);
    }

    public bool SelectsObject(AdmissionRequest request) =>
        ObjectSelector.IsEverything || request.Object is not null && Matches(ObjectSelector, request.Object) || request.OldObject is not null && Matches(ObjectSelector, request.OldObject);

    private static bool Matches(LabelQuery query, JsonObject? tree) => query.Matches(tree.At("metadata", "labels") as JsonObject);
}

/// <summary>A line of rules.</summary>
internal sealed record AdmissionRule(
    IReadOnlyList<string> Operations, IReadOnlyList<string> Groups, IReadOnlyList<string> Versions, IReadOnlyList<string> Resources, IReadOnlyList<string> Names, string Scope)
{
    public static IReadOnlyList<AdmissionRule> ReadAll(JsonNode? rules) =>
    [
        .. (rules as JsonArray ?? []).OfType<JsonObject>().Select(rule => new AdmissionRule(
            Metadata.Strings(rule, "operations"), Texts(rule, "apiGroups"), Metadata.Strings(rule, "apiVersions"), Metadata.Strings(rule, "resources"), Metadata.Strings(rule, "resourceNames"), rule["scope"].AsText() ?? "*")),
    ];

    // The core group is the empty text.
    private static IReadOnlyList<string> Texts(JsonObject rule, string name) => [.. (rule[name] as JsonArray ?? []).Select(item => item.AsText()).OfType<string>()];

    public bool Matches(AdmissionRequest request, ResourceInfo version) =>
        Has(Operations, request.Operation.ToString().ToUpperInvariant()) && Has(Groups, version.Resource.Group) && Has(Versions, version.Resource.Version)
        && (Scope == "*" || Scope == (version.Namespaced ? "Namespaced" : "Cluster")) && (Names.Count == 0 || Names.Contains(request.Name))
        && Resources.Any(resource => Matches(resource, version.Resource.Resource, request.Subresource));

    private static bool Has(IReadOnlyList<string> list, string value) => list.Contains("*") || list.Contains(value);

    private static bool Matches(string rule, string resource, string subresource)
    {
        var slash = rule.IndexOf('/');
        var (name, sub) = slash < 0 ? (rule, "") : (rule[..slash], rule[(slash + 1)..]);
        return (name == "*" || name == resource) && (sub == "*" || sub == subresource);
    }
}
