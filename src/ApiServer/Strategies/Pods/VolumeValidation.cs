using Weft.Api;

namespace Weft.ApiServer.Strategies.Pods;

/// <summary>Volumes of a pod.</summary>
internal static class VolumeValidation
{
    // Kubernetes refuses tokens that live shorter than this.
    private const long LeastTokenSeconds = 600;

    private static readonly string[] ProjectedSources = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"];

    public static IEnumerable<FieldError> Validate(Field volumes) => Rules.Unique(volumes, "name").Concat(volumes.Each(Volume));

    private static IEnumerable<FieldError> Volume(Field volume)
    {
        foreach (var error in Rules.Named(volume["name"], NameRules.DnsLabel))
            yield return error;

        // Every member but the name is a source.
        var sources = ((System.Text.Json.Nodes.JsonObject?)volume.Value)?.Where(member => member.Key != "name" && member.Value is not null).Select(member => member.Key).ToList() ?? [];
        if (sources.Count == 0)
            yield return volume.Required("must specify a volume type");
        foreach (var more in sources.Skip(1))
            yield return volume[more].Forbidden("may not specify more than 1 volume type");
        if (sources.Count == 0)
            yield break;

        foreach (var error in Source(sources[0], volume[sources[0]]))
            yield return error;
    }

    private static IEnumerable<FieldError> Source(string kind, Field source) => kind switch
    {
        "hostPath" => Rules.Filled(source["path"]).Concat(NoWayUp(source["path"])),
        "emptyDir" => Rules.Quantity(source["sizeLimit"]).Concat(Medium(source["medium"])),
        "secret" => Given(source["secretName"]).Concat(Files(source)),
        "configMap" => Given(source["name"]).Concat(Files(source)),
        "downwardAPI" => Rules.FileMode(source["defaultMode"]).Concat(source["items"].Each(DownwardFile)),
        "projected" => Rules.FileMode(source["defaultMode"]).Concat(source["sources"].Each(Projection)),
        "persistentVolumeClaim" => Rules.Filled(source["claimName"]),
        "nfs" => Rules.Filled(source["server"]).Concat(Rules.Filled(source["path"])).Concat(Absolute(source["path"])),
        "csi" => Rules.Filled(source["driver"]),
        "ephemeral" => source["volumeClaimTemplate"].Exists ? [] : [source["volumeClaimTemplate"].Required()],
        "image" => Given(source["reference"]),
        _ => [],
    };

    private static IEnumerable<FieldError> Projection(Field source)
    {
        foreach (var error in Rules.OneVariant(source, ProjectedSources, "projection type"))
            yield return error;
        foreach (var files in (Field[])[source["secret"], source["configMap"]])
        {
            if (!files.Exists)
                continue;
            foreach (var error in Given(files["name"]).Concat(Files(files)))
                yield return error;
        }
        foreach (var error in source["downwardAPI"]["items"].Each(DownwardFile))
            yield return error;

        var token = source["serviceAccountToken"];
        if (!token.Exists)
            yield break;
        if (token["expirationSeconds"].Number < LeastTokenSeconds)
            yield return token["expirationSeconds"].Invalid("may not specify a duration less than 10 minutes");
        else if (token["expirationSeconds"].Number > 1L << 32)
            yield return token["expirationSeconds"].Invalid("may not specify a duration larger than 2^32 seconds");
        foreach (var error in Rules.Filled(token["path"]).Concat(Rules.InnerPath(token["path"])))
            yield return error;
    }

    private static IEnumerable<FieldError> Files(Field source) =>
        Rules.FileMode(source["defaultMode"]).Concat(source["items"].Each(item =>
            Rules.Filled(item["key"]).Concat(Rules.Filled(item["path"])).Concat(Rules.InnerPath(item["path"])).Concat(Rules.FileMode(item["mode"]))));

    private static IEnumerable<FieldError> DownwardFile(Field file)
    {
        foreach (var error in Rules.Filled(file["path"]).Concat(Rules.InnerPath(file["path"])).Concat(Rules.FileMode(file["mode"])))
            yield return error;
        var (field, resource) = (file["fieldRef"], file["resourceFieldRef"]);
        if (field.Exists && resource.Exists)
            yield return file.Invalid("fieldRef and resourceFieldRef can not be specified simultaneously");
        else if (!field.Exists && !resource.Exists)
            yield return file["fieldRef"].Required("one of fieldRef and resourceFieldRef is required");
        if (field.Exists)
        {
            foreach (var error in EnvironmentValidation.VolumeFieldReference(field))
                yield return error;
        }
        if (resource.Exists)
        {
            foreach (var error in EnvironmentValidation.ResourceReference(resource, needsContainer: true))
                yield return error;
        }
    }

    private static IEnumerable<FieldError> Medium(Field medium)
    {
        if (medium.Text is { Length: > 0 } text && text != "Memory" && !text.StartsWith("HugePages", StringComparison.Ordinal))
            yield return medium.Unsupported(["", "HugePages", "Memory"]);
    }

    private static IEnumerable<FieldError> Given(Field field)
    {
        if (field.TextOrEmpty.Length == 0)
            yield return field.Required();
    }

    private static IEnumerable<FieldError> NoWayUp(Field path)
    {
        if (path.TextOrEmpty.Split('/').Contains(".."))
            yield return path.Invalid("must not contain '..'");
    }

    private static IEnumerable<FieldError> Absolute(Field path)
    {
        if (path.Text is { Length: > 0 } text && text[0] != '/')
            yield return path.Invalid("must be an absolute path");
    }
}
