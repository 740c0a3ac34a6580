using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh.Identity;

/// <summary>Identities of one proxy, given by hand.</summary>
internal sealed class IdentityBed(TimeProvider time) : IDisposable
{
    public static readonly WorkloadAccount Web = new("shop", "web");

    private readonly TempDir _directory = new();
    private MeshIdentities? _identities;

    public MeshIdentities Identities => _identities ??= new(new IdentityFiles(_directory.Path), time, Seeded.Random(1), NullLogger.Instance);

    public string Path(string name) => _directory.File(name);

    public void Trust(params TestAuthority[] authorities) =>
        Identities.SetBundle(new((Identities.Bundle?.Version ?? 0) + 1, "cluster.local", string.Concat(authorities.Select(each => Encoding.ASCII.GetString(each.Pem)))));

    public void Give(TestAuthority authority, Wanted? wanted = null, WorkloadAccount? account = null)
    {
        var of = account ?? Web;
        Assert.Null(TryGive(authority, (wanted ?? new()) with { Dns = [], Uris = [of.Identity("cluster.local")] }, of));
    }

    public string? TryGive(TestAuthority authority, Wanted wanted, WorkloadAccount account)
    {
        using var certificate = authority.Issue(wanted);
        return Identities.Store(account, Encoding.ASCII.GetString(certificate.KeyPem), Encoding.ASCII.GetString(certificate.ChainPem.Span));
    }

    /// <summary>As a proxy that starts anew with the same directory.</summary>
    public void Restart()
    {
        _identities?.Dispose();
        _identities = null;
    }

    public void Dispose()
    {
        _identities?.Dispose();
        _directory.Dispose();
    }
}
