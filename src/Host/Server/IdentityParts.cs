using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.Cli.Clusters;
using Weft.Client;
using Weft.Control.Identity;
using Weft.Proxy.Config.Identity;

namespace Weft.Host.Server;

/// <summary>The mesh's authority, and the path on which proxies get certificates of it.</summary>
internal sealed class IdentityParts : IAsyncDisposable
{
    // As MeshSettings has them.
    private const string TrustDomain = "cluster.local", Namespace = "istio-system";

    private readonly MeshAuthority _authority;
    private readonly CertificateStream _stream;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _running;

    /// <exception cref="InvalidDataException">The authority's file is damaged.</exception>
    internal IdentityParts(ClusterPaths paths, ClusterSettings cluster, TimeProvider time, ILoggerFactory loggers, CancellationToken stopping)
    {
        var settings = cluster.CertificateSeconds is { } seconds ? RotationSettings.Of(TimeSpan.FromSeconds(seconds)) : new RotationSettings();
        (_time, _loggers, _stopping) = (time, loggers, CancellationTokenSource.CreateLinkedTokenSource(stopping));
        _authority = new MeshAuthority(new AuthorityFile(Path.Combine(paths.Pki, "mesh", "authority.json")), TrustDomain, settings, time, loggers.CreateLogger<MeshAuthority>());
        _stream = new CertificateStream(_authority, time, loggers.CreateLogger<CertificateStream>());
        OnApiServer = new WebSocketPath(CertificateChannel.Path, ServeAsync, _stopping.Token);
        _running = _authority.RunAsync(_stopping.Token);
    }

    internal IPathHandler OnApiServer { get; }

    /// <summary>From now on certificates are given. What is imported is known first, so that a first start with it signs with nothing else.</summary>
    internal async Task<IDisposable> StartAsync(Informers informers, CancellationToken cancellationToken)
    {
        var imported = await ImportedRootFeed.StartAsync(informers, Namespace, _authority, _time, _loggers.CreateLogger<ImportedRootFeed>(), cancellationToken);
        _stream.Connect(new PodAccounts(informers.Cache<Pod>(), WorkloadAccount.FrontDoor));
        return imported;
    }

    // A certificate names its node: an administrator or a node may follow nobody's identities.
    private Task ServeAsync(UserInfo user, WebSocket socket, CancellationToken cancellationToken) =>
        user.Name.StartsWith(NodeJoin.ProxyPrefix, StringComparison.Ordinal) && user.Groups.Contains(NodeJoin.ProxyGroup)
            ? _stream.ServeAsync(user.Name[NodeJoin.ProxyPrefix.Length..], socket, cancellationToken)
            : socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "only the proxy of a node is given certificates", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
        _authority.Dispose();
    }
}
