using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Environment variables, and references to fields of the pod.</summary>
internal static class EnvironmentValidation
{
    private static readonly string[] Sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"];

    private static readonly string[] EnvironmentFields =
    [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ];

    private static readonly string[] VolumeFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

    private static readonly string[] Resources =
    [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
    ];

    public static IEnumerable<FieldError> Variables(Field container) => container["env"].Each(Variable).Concat(container["envFrom"].Each(From));

    public static IEnumerable<FieldError> VolumeFieldReference(Field reference) => FieldReference(reference, VolumeFields);

    public static IEnumerable<FieldError> ResourceReference(Field reference, bool needsContainer)
    {
        if (needsContainer && reference["containerName"].TextOrEmpty.Length == 0)
            yield return reference["containerName"].Required();
        var resource = reference["resource"];
        if (resource.IsBlank)
            yield return resource.Required();
        else if (resource.Text is { } name && !Resources.Contains(name) && !name.Contains(".hugepages-", StringComparison.Ordinal))
            yield return resource.Unsupported(Resources);
        foreach (var error in Rules.Quantity(reference["divisor"]))
            yield return error;
    }

    private static IEnumerable<FieldError> Variable(Field variable)
    {
        foreach (var error in Rules.Named(variable["name"], NameRules.EnvironmentName))
            yield return error;

        var from = variable["valueFrom"];
        if (!from.Exists)
            yield break;
        if (variable["value"].TextOrEmpty.Length > 0)
            yield return from.Invalid("may not be specified when `value` is not empty");
        var chosen = Sources.Count(source => from[source].Exists);
        if (chosen == 0)
            yield return from.Invalid("must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
        else if (chosen > 1)
            yield return from.Invalid("may not have more than one field specified at a time");

        if (from["fieldRef"].Exists)
        {
            foreach (var error in FieldReference(from["fieldRef"], EnvironmentFields))
                yield return error;
        }
        if (from["resourceFieldRef"].Exists)
        {
            foreach (var error in ResourceReference(from["resourceFieldRef"], needsContainer: false))
                yield return error;
        }
        foreach (var source in (Field[])[from["configMapKeyRef"], from["secretKeyRef"]])
        {
            if (!source.Exists)
                continue;
            if (source["name"].TextOrEmpty.Length == 0)
                yield return source["name"].Required();
            foreach (var error in Rules.Named(source["key"], NameRules.DataKey))
                yield return error;
        }
    }

    private static IEnumerable<FieldError> FieldReference(Field reference, string[] allowed)
    {
        var path = reference["fieldPath"];
        if (path.IsBlank)
            yield return path.Required();
        else if (path.Text is { } text)
        {
            if (Subscript(text) is { } key)
            {
                if (NameRules.QualifiedName(text.StartsWith("metadata.annotations", StringComparison.Ordinal) ? key.ToLowerInvariant() : key) is { } wrong)
                    yield return path.Invalid(wrong);
            }
            else if (!allowed.Contains(text))
                yield return path.Unsupported(allowed);
        }
    }

    // metadata.labels['app'] names one label.
    private static string? Subscript(string path)
    {
        foreach (var prefix in (string[])["metadata.labels['", "metadata.annotations['"])
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) && path.Length > prefix.Length + 2)
                return path[prefix.Length..^2];
        }
        return null;
    }

    private static IEnumerable<FieldError> From(Field source)
    {
        if (source["prefix"].Text is { Length: > 0 } prefix && NameRules.EnvironmentName(prefix) is { } wrong)
            yield return source["prefix"].Invalid(wrong);
        var (map, secret) = (source["configMapRef"], source["secretRef"]);
        if (map.Exists && secret.Exists)
            yield return source.Invalid("may not have more than one field specified at a time");
        else if (!map.Exists && !secret.Exists)
            yield return source.Invalid("must specify one of: `configMapRef` or `secretRef`");
        foreach (var reference in (Field[])[map, secret])
        {
            if (reference.Exists && reference["name"].TextOrEmpty.Length == 0)
                yield return reference["name"].Required();
        }
    }
}
