using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Mesh.Fronts;
using Weft.Proxy.Mesh.Hbone;
using Weft.Proxy.Mesh.Identity;
using Weft.Proxy.Mesh.Registration;

namespace Weft.Proxy.Mesh;

/// <summary>What a node's proxy has beside its data plane: who its pods are, by the agent's word; their identities; and the tunnels from and to other nodes.</summary>
internal sealed class MeshNode : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly MeshProxyOptions _options;
    private readonly HboneSettings _settings = new();
    private readonly WorkloadRegistry _registry;
    private readonly MeshIdentities _identities;
    private readonly RegistrationServer? _registration;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _certificates;
    private readonly List<HboneServer> _servers = [];

    /// <summary>Begins with what an earlier proxy knew, hears the agent, and gets certificates: before there is anything to serve.</summary>
    public MeshNode(MeshProxyOptions options, TimeProvider time, Random random, ILoggerFactory loggers)
    {
        var identities = Directory.CreateDirectory(Path.Combine(options.StateDirectory!, "identities"), OwnerOnly).FullName;
        var logger = loggers.CreateLogger<MeshIdentities>();
        _options = options;
        _identities = new MeshIdentities(new IdentityFiles(identities), time, random, logger);
        _registry = WorkloadRegistry.Load(options.StateDirectory!, workload => _identities.Want(new WorkloadAccount(workload.Namespace, workload.ServiceAccount)));
        _identities.Want(WorkloadAccount.FrontDoor);
        _certificates = options.Certificates is { } connect ? new CertificateClient(_identities, connect, time, random, logger).RunAsync(_stopping.Token) : Task.CompletedTask;
        _registration = options.Registration is { } socket ? RegistrationServer.Start(socket, _registry, time, loggers, () => Requests?.Invoke() ?? new Dictionary<IPAddress, long>()) : null;
        Connector = new HboneConnector(_identities, _settings);
    }

    public ILocalWorkloads Workloads => _registry;

    /// <summary>How many this node has sent so far, by address: what the agent asks for.</summary>
    public Func<IReadOnlyDictionary<IPAddress, long>>? Requests { get; set; }

    public HboneConnector Connector { get; }

    /// <summary>Takes tunnels from now on.</summary>
    /// <param name="identityOf">Of who has an address, by the configuration; null: nobody that is known.</param>
    public async Task ListenAsync(IReadOnlyList<MeshLoop> loops, Func<IPAddress, string?> identityOf)
    {
        var peers = new Peers(identityOf);
        for (var i = 0; i < loops.Count; i++)
        {
            var (loop, number) = (loops[i], i);
            await loop.Loop.PostAsync(() =>
            {
                var server = new HboneServer(loop.Loop, new HboneParts(_identities, _registry, peers, loop.Inbound), _settings);
                foreach (var socket in _options.Hbone.Where((_, at) => at % loops.Count == number))
                    server.Listen(socket);
                _servers.Add(server);
            });
        }
    }

    public async Task DrainAsync()
    {
        foreach (var server in _servers)
            await server.Loop.PostAsync(server.Drain);
        Connector.Drain();
    }

    /// <summary>All tunnels, at once.</summary>
    public async Task CloseAsync()
    {
        foreach (var server in _servers)
            await server.Loop.PostAsync(server.CloseAll);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _certificates;
        if (_registration is not null)
            await _registration.DisposeAsync();
        _identities.Dispose();
        _stopping.Dispose();
    }

    private sealed class Peers(Func<IPAddress, string?> identityOf) : IMeshPeers
    {
        public string? IdentityOf(IPAddress address) => identityOf(address);
    }
}
