using System.Text;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Tls;

/// <summary>Whose names those of a listener are where hosts have TLS of their own: which connections are not opened, and which requests may come over a connection.</summary>
internal sealed class TlsNames
{
    private readonly ServerNames<Owner> _names;
    private readonly Owner? _others;

    private TlsNames(ListenerTls tls)
    {
        var passed = new Owner(null);
        var all = tls.Hosts.SelectMany(host => host.Names.Select(name => (Name: name, Host: new Owner(host.Rules)))).Concat(tls.Passthrough.Select(name => (Name: name, Host: passed))).ToList();
        _names = new(all);
        // Without one, names that nobody has are those of the listener's own certificates, where it has some; otherwise no route is theirs.
        _others = all.FirstOrDefault(pair => pair.Name == "*").Host ?? (tls.Certificates.IsEmpty ? null : new Owner(""));
    }

    /// <summary>Null: one kind of TLS for all.</summary>
    public static TlsNames? Of(ListenerTls? tls) => tls is null || (tls.Hosts.IsEmpty && tls.Passthrough.IsEmpty) ? null : new(tls);

    /// <param name="serverName">Of a hello; null: none.</param>
    public bool IsPassedOn(string? serverName) => Find(serverName?.TrimEnd('.')) is { Rules: null };

    /// <param name="host">Of a request, in lower case.</param>
    /// <param name="rules">By which its connection was made.</param>
    public bool MayServe(ReadOnlySpan<byte> host, string rules)
    {
        Span<char> name = stackalloc char[Routing.RequestHost.MaxLength];
        return Find(name[..Encoding.ASCII.GetChars(host, name)]) is not { } owner || owner.Rules == rules;
    }

    private Owner? Find(ReadOnlySpan<char> name) => _names.Find(name) ?? _others;

    /// <param name="Rules">Null: its connections are not opened here.</param>
    private sealed record Owner(string? Rules);
}
