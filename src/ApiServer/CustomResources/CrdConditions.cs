using System.Text.Json.Nodes;
using Weft.Api.Trees;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.CustomResources;

/// <summary>
/// Decides which names a CustomResourceDefinition gets and whether its kind is served. A name belongs to the first definition of its group that had it accepted;
/// one that is taken is refused until it becomes free.
/// </summary>
public static class CrdConditions
{
    /// <summary>The finalizer that holds a definition until all its objects are gone.</summary>
    public const string Cleanup = "customresourcecleanup.apiextensions.k8s.io";

    private static readonly string[] Changing = ["metadata", "status"];

    /// <summary>The definition with new status (and its finalizer), or null when nothing changes. The arguments are not changed.</summary>
    /// <param name="others">All other definitions; those of other groups do not matter.</param>
    /// <param name="builtIn">Names that the program's own kinds have in a group: no definition gets them.</param>
    public static JsonObject? Plan(JsonObject crd, IEnumerable<JsonObject> others, Func<string, IEnumerable<string>> builtIn, DateTimeOffset now)
    {
        var group = crd.At("spec", "group").AsText() ?? "";
        if (crd.At("spec", "names") is not JsonObject wanted)
            return null;

        var taken = Taken.Of(group, others, builtIn(group));
        var conflict = taken.Conflict(wanted);
        // Of a definition that stays as it is, the schemas (nearly all of it) are not even looked at.
        var changed = new JsonObject();
        foreach (var name in Changing)
            if (crd[name] is { } value)
                changed[name] = value.DeepClone();
        var status = Child(changed, "status");

        status["acceptedNames"] = Accepted(wanted, status["acceptedNames"] as JsonObject, taken);
        Set(status, "NamesAccepted", conflict is null ? "True" : "False", conflict?.Reason ?? "NoConflicts", conflict?.Message ?? "no conflicts found", now);
        // One that goes before it was served is never served: it has no finalizer that would have its objects removed.
        var serves = IsEstablished(crd) || (conflict is null && !Metadata.IsBeingDeleted(crd));
        if (serves)
            Set(status, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now);
        else
            Set(status, "Established", "False", "NotAccepted", "not all names are accepted", now);
        if (Metadata.IsBeingDeleted(crd))
            Set(status, "Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress", now);
        else if (serves)
            Hold(changed);
        if (Changing.All(name => JsonNode.DeepEquals(crd[name], changed[name])))
            return null;
        var next = (JsonObject)crd.DeepClone();
        foreach (var name in Changing)
            next[name] = changed[name]?.DeepClone();
        return next;
    }

    /// <summary>The definition without its finalizer, to be written when no object is left.</summary>
    public static JsonObject Release(JsonObject crd)
    {
        var next = (JsonObject)crd.DeepClone();
        Metadata.SetStrings(Metadata.Of(next), "finalizers", [.. Finalizers.Of(next).Where(name => name != Cleanup)]);
        return next;
    }

    public static bool IsEstablished(JsonObject crd) => Condition(crd["status"] as JsonObject, "Established")?["status"].AsText() == "True";

    public static bool AwaitsCleanup(JsonObject crd) => Metadata.IsBeingDeleted(crd) && Finalizers.Of(crd).Contains(Cleanup);

    // Set before the first object can exist, so that a definition never leaves objects behind.
    private static void Hold(JsonObject crd)
    {
        var finalizers = Finalizers.Of(crd);
        if (!finalizers.Contains(Cleanup))
            Metadata.SetStrings(Metadata.Of(crd), "finalizers", [.. finalizers, Cleanup]);
    }

    // A name in conflict stays as it was accepted before.
    private static JsonObject Accepted(JsonObject wanted, JsonObject? before, Taken taken)
    {
        var accepted = before is null ? [] : (JsonObject)before.DeepClone();
        foreach (var name in (string[])["plural", "singular", "kind", "listKind"])
            if (wanted[name].AsText() is { } text && !taken.Has(name, text))
                accepted[name] = text;
        if (!Metadata.Strings(wanted, "shortNames").Any(name => taken.Has("shortNames", name)))
            Copy(wanted, accepted, "shortNames");
        Copy(wanted, accepted, "categories");
        // The schema of status demands both.
        accepted["plural"] ??= "";
        accepted["kind"] ??= "";
        return accepted;
    }

    private static void Copy(JsonObject from, JsonObject to, string name)
    {
        if (from[name] is JsonArray list)
            to[name] = list.DeepClone();
        else
            to.Remove(name);
    }

    private static void Set(JsonObject status, string type, string value, string reason, string message, DateTimeOffset now)
    {
        var condition = Condition(status, type);
        if (condition is null)
        {
            if (status["conditions"] is not JsonArray list)
                status["conditions"] = list = [];
            condition = new JsonObject { ["type"] = type };
            list.Add(condition);
        }
        if (condition["status"].AsText() != value)
        {
            condition["status"] = value;
            condition["lastTransitionTime"] = Metadata.Time(now);
        }
        condition["reason"] = reason;
        condition["message"] = message;
    }

    private static JsonObject? Condition(JsonObject? status, string type) =>
        (status?["conditions"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault(condition => condition["type"].AsText() == type);

    /// <summary>The object of that name, made where there is none.</summary>
    internal static JsonObject Child(JsonObject tree, string name)
    {
        if (tree[name] is not JsonObject child)
            tree[name] = child = [];
        return child;
    }

    /// <summary>The names of a group that are given away: those of resources in one table, those of kinds in another.</summary>
    private sealed record Taken(HashSet<string> Resources, HashSet<string> Kinds)
    {
        public static Taken Of(string group, IEnumerable<JsonObject> others, IEnumerable<string> builtIn)
        {
            var taken = new Taken([.. builtIn], []);
            foreach (var other in others)
            {
                if (other.At("spec", "group").AsText() != group || other.At("status", "acceptedNames") is not JsonObject names)
                    continue;
                taken.Resources.UnionWith([Metadata.Text(names, "plural"), Metadata.Text(names, "singular"), .. Metadata.Strings(names, "shortNames")]);
                taken.Kinds.UnionWith([Metadata.Text(names, "kind"), Metadata.Text(names, "listKind")]);
            }
            return taken;
        }

        public bool Has(string field, string name) => name.Length > 0 && (field is "kind" or "listKind" ? Kinds : Resources).Contains(name);

        public (string Reason, string Message)? Conflict(JsonObject wanted)
        {
            foreach (var (field, reason) in ((string, string)[])[("plural", "PluralConflict"), ("singular", "SingularConflict"), ("kind", "KindConflict"), ("listKind", "ListKindConflict")])
                if (wanted[field].AsText() is { } name && Has(field, name))
                    return (reason, $"\"{name}\" is already in use");
            foreach (var name in Metadata.Strings(wanted, "shortNames"))
                if (Has("shortNames", name))
                    return ("ShortNamesConflict", $"\"{name}\" is already in use");
            return null;
        }
    }
}
