using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Identity;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Mesh.Identity;
using Weft.Testing;

namespace Weft.Control.Tests.Identity;

/// <summary>The authority and proxies of nodes, over WebSockets on loopback. Accounts are at work where a test says so.</summary>
internal sealed class CertificateBed : IAccountPlaces, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Task> _tasks = [];
    private readonly ConcurrentBag<IDisposable> _sockets = [];
    private readonly ConcurrentDictionary<(string, WorkloadAccount), bool> _places = new();

    public CertificateBed()
    {
        Authority = new(new AuthorityFile(Directory.File("server/authority.json")), "cluster.local", Settings, Time, NullLogger<MeshAuthority>.Instance);
        Stream = new(Authority, Time, NullLogger<CertificateStream>.Instance);
        Stream.Connect(this);
    }

    public static RotationSettings Settings { get; } = new();

    public TempDir Directory { get; } = new();

    public ManualTime Time { get; } = new();

    public MeshAuthority Authority { get; }

    public CertificateStream Stream { get; }

    /// <summary>False: connections are refused and those that stand are cut.</summary>
    public bool IsServerThere { get; set; } = true;

    public int Connections { get; private set; }

    public bool Runs(string node, WorkloadAccount account) => _places.ContainsKey((node, account));

    public void Place(string node, WorkloadAccount account) => _places[(node, account)] = true;

    public void Remove(string node, WorkloadAccount account) => _places.TryRemove((node, account), out _);

    /// <summary>The identities of a node's proxy, as a proxy that starts has them.</summary>
    public MeshIdentities Identities(string node) => new(new IdentityFiles(Directory.File(node)), Time, Seeded.Random(1), NullLogger.Instance);

    /// <summary>Lets them follow the server.</summary>
    public void Follow(string node, MeshIdentities identities) =>
        _tasks.Add(new CertificateClient(identities, cancellation => ConnectAsync(node, cancellation), Time, Seeded.Random(2), NullLogger.Instance).RunAsync(_stopping.Token));

    public void Cut()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
    }

    /// <summary>Moves the clock on in steps, each after what the last one brought about, until the condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition, TimeSpan? step = null)
    {
        await Eventually.TrueAsync(() =>
        {
            if (condition())
                return true;
            Time.Advance(step ?? TimeSpan.FromMilliseconds(50));
            return false;
        });
    }

    public async Task<WebSocket> ConnectAsync(string node, CancellationToken cancellationToken)
    {
        if (!IsServerThere)
            throw new IOException("refused");
        Connections++;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient();
        _sockets.Add(client);
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancellationToken);
        var server = await listener.AcceptTcpClientAsync(cancellationToken);
        _sockets.Add(server);
        _tasks.Add(Stream.ServeAsync(node, WebSocket.CreateFromStream(server.GetStream(), new WebSocketCreationOptions { IsServer = true }), _stopping.Token));
        return WebSocket.CreateFromStream(client.GetStream(), new WebSocketCreationOptions());
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Cut();
        await Task.WhenAll(_tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Authority.Dispose();
        Directory.Dispose();
        _stopping.Dispose();
    }
}
