using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Authorization;

/// <summary>One rule of a role: all of its lists must match.</summary>
public sealed record PolicyRule
{
    public IReadOnlyList<string> Verbs { get; init; } = [];
    public IReadOnlyList<string> ApiGroups { get; init; } = [];

    /// <summary>`pods`, `pods/log`, `*`, `*/scale`.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Empty: every name.</summary>
    public IReadOnlyList<string> ResourceNames { get; init; } = [];

    /// <summary>`/healthz`, `/metrics/*`, `*`.</summary>
    public IReadOnlyList<string> NonResourceUrls { get; init; } = [];

    public static IReadOnlyList<PolicyRule> ReadAll(JsonObject role) =>
        role["rules"] is JsonArray rules ? [.. rules.OfType<JsonObject>().Select(Read)] : [];

    private static PolicyRule Read(JsonObject rule) => new()
    {
        Verbs = Metadata.Strings(rule, "verbs"),
        // The core group is the empty string, which the shared reader leaves out.
        ApiGroups = rule["apiGroups"] is JsonArray groups ? [.. groups.OfType<JsonValue>().Select(v => v.TryGetValue<string>(out var text) ? text : "")] : [],
        Resources = Metadata.Strings(rule, "resources"),
        ResourceNames = Metadata.Strings(rule, "resourceNames"),
        NonResourceUrls = Metadata.Strings(rule, "nonResourceURLs"),
    };

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        Add("verbs", Verbs);
        Add("apiGroups", ApiGroups);
        Add("resources", Resources);
        Add("resourceNames", ResourceNames);
        Add("nonResourceURLs", NonResourceUrls);
        return json;

        void Add(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                json[name] = new JsonArray([.. values.Select(JsonNode (v) => v)]);
        }
    }

    public bool Allows(AccessAttributes attributes) => attributes.IsResource
        ? Matches(Verbs, attributes.Verb) && Matches(ApiGroups, attributes.Group) && MatchesResource(attributes.Resource, attributes.Subresource)
            && (ResourceNames.Count == 0 || ResourceNames.Contains(attributes.Name))
        : Matches(Verbs, attributes.Verb) && NonResourceUrls.Any(pattern => MatchesPath(pattern, attributes.Path));

    private static bool Matches(IReadOnlyList<string> allowed, string value)
    {
        for (var i = 0; i < allowed.Count; i++)
        {
            if (allowed[i] == "*" || allowed[i] == value)
                return true;
        }

        return false;
    }

    // `pods` is not `pods/exec`: a subresource needs its own entry, `*` or `*/exec`. A right on `proxy` covers the path behind it.
    private bool MatchesResource(string resource, string subresource)
    {
        var slash = subresource.IndexOf('/');
        var sub = slash < 0 ? subresource.AsSpan() : subresource.AsSpan(0, slash);
        foreach (var allowed in Resources)
        {
            if (allowed == "*")
                return true;
            if (sub.IsEmpty)
            {
                if (allowed == resource)
                    return true;
                continue;
            }

            var split = allowed.IndexOf('/');
            if (split > 0 && allowed.AsSpan(split + 1).SequenceEqual(sub) && (allowed.AsSpan(0, split) is "*" || allowed.AsSpan(0, split).SequenceEqual(resource)))
                return true;
        }

        return false;
    }

    private static bool MatchesPath(string pattern, string path) =>
        pattern == "*" || pattern == path || (pattern.EndsWith('*') && path.StartsWith(pattern.AsSpan().TrimEnd('*'), StringComparison.Ordinal));

    /// <summary>As Kubernetes prints a rule in messages.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        Add("APIGroups", ApiGroups);
        Add("Resources", Resources);
        Add("ResourceNames", ResourceNames);
        Add("NonResourceURLs", NonResourceUrls);
        Add("Verbs", Verbs);
        return "{" + string.Join(", ", parts) + "}";

        void Add(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                parts.Add($"{name}:[{string.Join(" ", values.Select(v => $"\"{v}\""))}]");
        }
    }
}
