using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;

namespace Weft.Host.Proxy;

/// <summary>The file of a proxy and the files that it names, looked at for changes.</summary>
internal sealed class WatchedFile(string path)
{
    private readonly Dictionary<string, string> _seen = [];

    /// <summary>Says on standard error what is wrong with it; null then.</summary>
    /// <param name="text">As it was read; empty when it could not be.</param>
    public ProxyConfig? Read(out string text)
    {
        text = "";
        try
        {
            text = File.ReadAllText(path);
            return Parse(text);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Print([unreadable.Message]);
            return null;
        }
    }

    public ProxyConfig? Parse(string text)
    {
        var result = ProxyFile.Read(text);
        if (result.Config is null)
            Print([.. result.Errors.Select(error => error.ToString())]);
        return result.Config;
    }

    public void Print(IReadOnlyList<string> errors)
    {
        foreach (var error in errors)
            Console.Error.WriteLine($"{path}: {error}");
    }

    /// <summary>Whether something was written since the last look at it. To be called before what is there is read: what is written meanwhile is another change.</summary>
    public bool HasChanged(ProxyConfig config)
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

    /// <summary>The file, and the certificates that it names.</summary>
    private IEnumerable<string> Files(ProxyConfig config)
    {
        var files = config.Certificates.SelectMany(certificate => new[] { certificate.Chain.File, certificate.Key.File })
            .Concat(config.Listeners.Select(listener => listener.Tls?.ClientAuthorities?.File))
            .Concat(config.Clusters.Select(cluster => cluster.Tls?.Authorities?.File))
            .Prepend(path);
        return files.OfType<string>();
    }

    private static string Stamp(string file) => File.Exists(file) ? $"{File.GetLastWriteTimeUtc(file).Ticks}:{new FileInfo(file).Length}" : "gone";
}
