using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration;
using Weft.Proxy.Configuration.Files;

namespace Weft.Host.Proxy;

/// <summary>The file of a proxy and the files that it names, looked at for changes.</summary>
internal sealed class WatchedFile(string path)
{
    private readonly FileChanges _changes = new(path);

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

    /// <inheritdoc cref="FileChanges.Look"/>
    public bool HasChanged(ProxyConfig config) => _changes.Look(config);

    /// <inheritdoc cref="FileChanges.LookAtNew"/>
    public void LookAtNew(ProxyConfig config) => _changes.LookAtNew(config);
}
