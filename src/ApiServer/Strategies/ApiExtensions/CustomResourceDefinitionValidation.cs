using System.Text.RegularExpressions;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.ApiExtensions;

internal static partial class CustomResourceDefinitionValidation
{
    // Kinds below these groups belong to Kubernetes: a CRD needs its annotation of approval.
    private const string Approval = "api-approved.kubernetes.io";

    // Kubernetes' limits.
    private const int MaxDeprecationWarning = 256;
    private const int MaxSelectableFields = 8;

    public static IEnumerable<FieldError> Validate(Field root, Field? old, ReservedResources reserved)
    {
        // What was taken is not judged again when something else changes: a definition of an older server can still be labelled, and lose its finalizers.
        if (old is not null && root["spec"].Value.SameAs(old["spec"].Value))
            yield break;
        var spec = root["spec"];
        var (group, names) = (spec["group"].TextOrEmpty, spec["names"]);

        var wanted = $"{names["plural"].Text}.{group}";
        if (root["metadata"]["name"].Text is { Length: > 0 } name && name != wanted)
            yield return root["metadata"]["name"].Invalid($"must be spec.names.plural+\".\"+spec.group ({wanted})");
        foreach (var error in Group(spec["group"]).Concat(Names(names)).Concat(Versions(spec)).Concat(Conversion(spec["conversion"])))
            yield return error;
        if (spec["scope"].Text is { } scope && scope is not ("Cluster" or "Namespaced"))
            yield return spec["scope"].Unsupported(["Cluster", "Namespaced"]);
        if (spec["preserveUnknownFields"].IsTrue)
            yield return spec["preserveUnknownFields"].Invalid("cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
        if (IsProtected(group) && !root["metadata"]["annotations"].At(Approval).Exists)
            yield return root["metadata"]["annotations"].At(Approval).Required("protected groups must have approval annotation \"api-approved.kubernetes.io\"");

        if (old is not { } before)
        {
            // Group and plural never change, so the first write is the one to ask. One that an older server let in can still be changed, and so be removed.
            if (reserved.Has(group, names["plural"].TextOrEmpty))
                yield return names["plural"].Forbidden($"\"{wanted}\" belongs to the server, choose another group");
            yield break;
        }
        // Stored objects lie under group and plural; a new scope would lose them.
        foreach (var (now, was) in ((Field, Field)[])[(spec["group"], before["spec"]["group"]), (names["plural"], before["spec"]["names"]["plural"]),
            (spec["scope"], before["spec"]["scope"]), (names["kind"], before["spec"]["names"]["kind"])])
        {
            var established = before["status"]["conditions"].Items.Any(condition => condition["type"].Text == "Established" && condition["status"].Text == "True");
            if (!now.Value.SameAs(was.Value) && (established || now.Path is "spec.group" or "spec.names.plural"))
                yield return now.Invalid("field is immutable");
        }
        var versions = spec["versions"].Items.Select(version => version["name"].Text).ToHashSet();
        foreach (var stored in root["status"]["storedVersions"].Items)
        {
            if (!versions.Contains(stored.Text))
                yield return stored.Invalid("missing from spec.versions; objects may still be stored in it");
        }
    }

    private static IEnumerable<FieldError> Group(Field group)
    {
        foreach (var error in Rules.Named(group, NameRules.DnsSubdomain))
            yield return error;
        if (group.TextOrEmpty.Length > 0 && !group.TextOrEmpty.Contains('.'))
            yield return group.Invalid("should be a domain with at least one dot");
    }

    private static IEnumerable<FieldError> Names(Field names) =>
        Rules.Named(names["plural"], NameRules.Dns1035Label)
            .Concat(Rules.Optional(names["singular"], NameRules.Dns1035Label))
            .Concat(Rules.Named(names["kind"], KindName))
            .Concat(Rules.Optional(names["listKind"], KindName))
            .Concat(names["shortNames"].Each(name => Rules.Named(name, NameRules.Dns1035Label)))
            .Concat(names["categories"].Each(name => Rules.Named(name, NameRules.Dns1035Label)))
            .Concat(names["kind"].Text is { Length: > 0 } kind && names["listKind"].Text == kind ? [names["listKind"].Invalid("kind and listKind may not be the same")] : []);

    private static string? KindName(string kind) => NameRules.Dns1035Label(kind.ToLowerInvariant()) is { } wrong ? "may have mixed case, but should otherwise match: " + wrong : null;

    private static IEnumerable<FieldError> Versions(Field spec)
    {
        var versions = spec["versions"];
        if (versions.IsBlank)
            yield return versions.Required("must have at least one version");
        foreach (var error in Rules.Unique(versions, "name").Concat(versions.Each(Version)))
            yield return error;
        if (versions.Count > 0 && versions.Items.Count(version => version["storage"].IsTrue) != 1)
            yield return versions.Invalid("must have exactly one version marked as storage version");
    }

    private static IEnumerable<FieldError> Version(Field version)
    {
        foreach (var error in Rules.Named(version["name"], NameRules.Dns1035Label))
            yield return error;

        var schema = version["schema"]["openAPIV3Schema"];
        if (!schema.Exists)
            yield return schema.Required("schemas are required");
        else
        {
            foreach (var error in StructuralSchema.Validate(schema))
                yield return error;
        }

        if (version["deprecationWarning"].Exists && !version["deprecated"].IsTrue)
            yield return version["deprecationWarning"].Invalid("can only be set for deprecated versions");
        // It becomes a header of one line.
        if (version["deprecationWarning"].Text is { } warning)
        {
            if (warning.Length > MaxDeprecationWarning)
                yield return version["deprecationWarning"].Invalid($"must be <= {MaxDeprecationWarning} characters long");
            if (warning.Any(char.IsControl))
                yield return version["deprecationWarning"].Invalid("must only contain printable UTF-8 characters");
        }
        var scale = version["subresources"]["scale"];
        if (scale.Exists)
        {
            foreach (var error in Path(scale["specReplicasPath"], ".spec.").Concat(Path(scale["statusReplicasPath"], ".status.")).Concat(Path(scale["labelSelectorPath"], ".")))
                yield return error;
        }
        foreach (var column in version["additionalPrinterColumns"].Items)
        {
            foreach (var error in Rules.Filled(column["name"]).Concat(Rules.Filled(column["jsonPath"])))
                yield return error;
            if (column["type"].Text is { } type && type is not ("boolean" or "date" or "integer" or "number" or "string"))
                yield return column["type"].Unsupported(["boolean", "date", "integer", "number", "string"]);
        }
        foreach (var error in SelectableFields(version["selectableFields"], schema))
            yield return error;
    }

    // A field selector compares texts, and each field costs every object a look.
    private static IEnumerable<FieldError> SelectableFields(Field fields, Field schema)
    {
        if (fields.Count > MaxSelectableFields)
            yield return new FieldError(FieldErrorKind.TooMany, fields.Path, $"{fields.Count}", $"must have at most {MaxSelectableFields} items");
        foreach (var error in Rules.Unique(fields, "jsonPath"))
            yield return error;
        foreach (var field in fields.Items.Select(field => field["jsonPath"]))
        {
            if (field.IsBlank)
                yield return field.Required();
            else if (field.Text is not { } path)
                continue;
            else if (!SimplePath().IsMatch(path) || path.StartsWith(".metadata.", StringComparison.Ordinal) || path == ".metadata")
                yield return field.Invalid("must be a simple path such as .spec.color, not into metadata");
            else if (At(schema, path) is not { Exists: true } found)
                yield return field.Invalid("does not refer to a valid field: it is not in the schema");
            else if (found["type"].Text is not ("string" or "boolean" or "integer"))
                yield return field.Invalid("does not refer to a field of type string, boolean or integer");
        }
    }

    private static Field At(Field schema, string path) => path.TrimStart('.').Split('.').Aggregate(schema, (place, name) => place["properties"].At(name));

    private static IEnumerable<FieldError> Path(Field path, string start)
    {
        if (path.IsBlank)
            yield return path.Required();
        else if (path.Text is { } text && (!SimplePath().IsMatch(text) || !text.StartsWith(start, StringComparison.Ordinal)))
            yield return path.Invalid($"should be a json path under {start.TrimEnd('.')}, such as {start}replicas");
    }

    private static IEnumerable<FieldError> Conversion(Field conversion)
    {
        var (strategy, webhook) = (conversion["strategy"], conversion["webhook"]);
        if (strategy.Text is { } text && text is not ("None" or "Webhook"))
            yield return strategy.Unsupported(["None", "Webhook"]);
        if (strategy.Text == "None" && webhook.Exists)
            yield return webhook.Forbidden("should not be set when strategy is not set to Webhook");
        if (strategy.Text != "Webhook")
            yield break;
        if (!webhook["clientConfig"].Exists)
            yield return webhook["clientConfig"].Required("required when strategy is set to Webhook");
        else
        {
            foreach (var error in WebhookClients.Validate(webhook["clientConfig"]))
                yield return error;
        }
        var reviews = webhook["conversionReviewVersions"];
        if (reviews.Count == 0)
            yield return reviews.Required();
        else if (reviews.Items.All(version => version.Text != "v1"))
            yield return reviews.Invalid("must include v1: the server speaks no other version of ConversionReview");
        foreach (var error in reviews.Each(version => Rules.Named(version, NameRules.Dns1035Label)))
            yield return error;
    }

    private static bool IsProtected(string group) =>
        group is "k8s.io" or "kubernetes.io" || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    [GeneratedRegex(@"^(\.[A-Za-z_][A-Za-z0-9_-]*)+$")]
    private static partial Regex SimplePath();
}
