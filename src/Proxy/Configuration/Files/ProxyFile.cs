using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Validation;

namespace Weft.Proxy.Configuration.Files;

/// <param name="Config">Null where there are errors.</param>
public sealed record ProxyFileResult(ProxyConfig? Config, IReadOnlyList<FileError> Errors);

/// <summary>The file of `weft proxy --config`: YAML in the words of the model, made shorter where people write it. All errors come at once.</summary>
public static class ProxyFile
{
    // 100,000 routes are about 20 MB.
    private const int MaxCharacters = 64 << 20;

    public static ProxyFileResult Read(string text)
    {
        var errors = new List<FileError>();
        if (text.Length > MaxCharacters)
            return new(null, [new("", 0, $"has {text.Length} characters; at most {MaxCharacters}")]);
        if (FileNode.Parse(text, errors) is not { } root)
            return new(null, errors);
        var binder = new FileBinder(errors);
        var config = (ProxyConfig?)binder.Record(typeof(ProxyConfig), root, "") ?? ProxyConfig.Empty;
        foreach (var (name, value) in root.Fields.Where(f => f.Key == "routeTables"))
            binder.Error(name, value, "in a file routes stand in their listener");
        var (clusters, certificates) = (config.Clusters.Count, config.Certificates.Count);
        config = config with
        {
            RouteTables = [.. binder.Extras.RouteTables],
            Clusters = [.. config.Clusters, .. binder.Extras.Clusters],
            Certificates = [.. config.Certificates, .. binder.Extras.Certificates],
        };
        // What could not be read is missing now, and missing it again would be a second error for one mistake.
        if (errors.Count == 0)
        {
            foreach (var error in ConfigValidator.Validate(config))
            {
                var path = InFile(error.Path, binder.Extras, clusters, certificates);
                errors.Add(new(path, binder.LineOf(path), error.Message));
            }
        }

        return new(errors.Count == 0 ? config : null, [.. errors.OrderBy(e => e.Line)]);
    }

    private static string InFile(string path, FileExtras extras, int clusters, int certificates)
    {
        foreach (var (model, file) in extras.Places)
        {
            var prefix = model.Replace("clusters[+", "clusters[", StringComparison.Ordinal).Replace("certificates[+", "certificates[", StringComparison.Ordinal);
            if (prefix != model)
            {
                var offset = model.StartsWith("clusters", StringComparison.Ordinal) ? clusters : certificates;
                prefix = $"{prefix[..prefix.IndexOf('[')]}[{int.Parse(prefix[(prefix.IndexOf('[') + 1)..^1]) + offset}]";
            }

            if (path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || path[prefix.Length] is '.' or '['))
                return file + path[prefix.Length..].Replace(".action", "", StringComparison.Ordinal).Replace(".matches", ".match", StringComparison.Ordinal);
        }

        return path;
    }
}
