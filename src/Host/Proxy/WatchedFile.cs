using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration.Files;

namespace Weft.Host.Proxy;

/// <summary>The file of a proxy and the files that it names, looked at for changes.</summary>
internal sealed class WatchedFile(string path)
{
    private string _seen = "";

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

    /// <summary>Whether something was written since the last look; the first look only looks. To be called before what is there is read: what is written meanwhile is another change.</summary>
    public bool HasChanged(ProxyConfig config)
    {
        var now = Stamps(config);
        var changed = _seen.Length > 0 && now != _seen;
        _seen = now;
        return changed;
    }

    /// <summary>When the file and the certificates that it names were written.</summary>
    private string Stamps(ProxyConfig config)
    {
        var files = config.Certificates.SelectMany(certificate => new[] { certificate.Chain.File, certificate.Key.File })
            .Concat(config.Listeners.Select(listener => listener.Tls?.ClientAuthorities?.File))
            .Concat(config.Clusters.Select(cluster => cluster.Tls?.Authorities?.File))
            .Prepend(path);
        return string.Join('|', files.OfType<string>().Select(file => File.Exists(file) ? $"{File.GetLastWriteTimeUtc(file).Ticks}:{new FileInfo(file).Length}" : "gone"));
    }
}
