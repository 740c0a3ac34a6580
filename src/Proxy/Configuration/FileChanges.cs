using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration;

/// <summary>Whether a proxy's file, or one that it names, has changed: by the time and length of what its path leads to at last, so a link that is turned to another file is a change.</summary>
public sealed class FileChanges(string path)
{
    private readonly Dictionary<string, string> _seen = [];

    /// <summary>Whether something was written since the last look at it. To be called before what is there is read: what is written meanwhile is another change.</summary>
    public bool Look(ProxyConfig config)
    {
        var changed = false;
        foreach (var file in Files(config))
        {
            var now = Stamp(file);
            changed |= _seen.TryGetValue(file, out var before) && before != now;
            _seen[file] = now;
        }

        return changed;
    }

    /// <summary>Looks at those that are new in this configuration. To be called before they are read.</summary>
    public void LookAtNew(ProxyConfig config)
    {
        foreach (var file in Files(config))
            _seen.TryAdd(file, Stamp(file));
    }

    /// <summary>All that is read when a configuration is applied: certificates, authorities, keys of tokens and of clients, users, secrets of headers.</summary>
    internal static IEnumerable<string> Named(ProxyConfig config)
    {
        var sources = config.Certificates.SelectMany(certificate => new[] { certificate.Chain, certificate.Key })
            .Concat(config.Listeners.Select(listener => listener.Tls?.ClientAuthorities))
            .Concat(config.Listeners.SelectMany(listener => listener.Tls?.Hosts.ToArray() ?? []).Select(host => host.ClientAuthorities))
            .Concat(config.Clusters.Select(cluster => cluster.Tls?.Authorities))
            .Concat(config.JwtProviders.Select(provider => provider.Jwks))
            .Concat(config.Tracing?.Headers.Select(header => header.Value) ?? [])
            .Concat(Filters(config).Select(filter => filter switch
            {
                ApiKeyFilter keys => keys.KeyFile,
                BasicAuthFilter users => users.Users,
                _ => null,
            }));
        return sources.Select(source => source?.File).OfType<string>().Distinct();
    }

    /// <summary>Of listeners, hosts and routes; one that stands in several places comes as often.</summary>
    internal static IEnumerable<FilterConfig> Filters(ProxyConfig config)
        => config.Listeners.SelectMany(listener => listener.Filters)
            .Concat(config.RouteTables.SelectMany(table => table.Hosts).SelectMany(host => host.Filters.Concat(host.Routes.SelectMany(route => route.Filters))));

    private IEnumerable<string> Files(ProxyConfig config) => Named(config).Prepend(path);

    private static string Stamp(string file)
    {
        try
        {
            var target = new FileInfo(File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file);
            return target.Exists ? $"{target.FullName}:{target.LastWriteTimeUtc.Ticks}:{target.Length}" : "gone";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "gone";
        }
    }
}
