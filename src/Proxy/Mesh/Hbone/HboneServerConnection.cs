using System.Net;
using Weft.Proxy.Http;
using Weft.Proxy.Http2;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Hbone;

/// <summary>A connection of another node's proxy, for one source identity and one pod.</summary>
internal sealed class HboneServerConnection(HboneServer server, Connection connection, IPAddress pod, LocalWorkload workload) : IExchangeFactory
{
    private readonly Stack<RequestHead> _heads = new();
    private Http2ServerConnection? _http2;
    private LoopTimer? _age;

    public HboneServer Server => server;

    /// <summary>`spiffe://...` of the peer, from its verified certificate.</summary>
    public string Identity { get; private set; } = "";

    /// <summary>The handshake is done.</summary>
    public bool IsOpen { get; private set; }

    public IPEndPoint Peer => connection.Peer!;

    public EventLoop Loop => connection.Loop;

    /// <summary>The address is still the pod's that the handshake was made for. Another pod that has it by now has another identity, perhaps.</summary>
    public bool IsCurrent => server.Parts.Workloads.Find(pod)?.Uid == workload.Uid;

    public void Opened()
    {
        IsOpen = true;
        // Both are required by the handshake; what is not true here would be a defect, and closed.
        if (connection.Tls is not { Protocol: "h2", PeerUri: { } identity })
        {
            connection.Abort();
            return;
        }

        Identity = identity;
        _http2 = new(connection, this, server.Options, server.Streams);
        connection.Protocol = _http2;
        _http2.Start();
        _age = new(connection.Loop.Timers, Drain);
        _age.Set(connection.Now + server.Settings.MaxAgeMilliseconds);
    }

    /// <summary>The address is one of the pod that the connection is for.</summary>
    public bool LeadsTo(IPAddress address) => address.Equals(pod) || server.Parts.Workloads.Find(address)?.Uid == workload.Uid;

    public void Drain()
    {
        if (_http2 is not null)
            _http2.Drain();
        else
            connection.Drop(); // in its handshake
    }

    public void Gone() => _age?.Dispose();

    public RequestHead RentHead() => _heads.TryPop(out var head) ? head : new();

    public void ReturnHead(RequestHead head)
    {
        head.Clear();
        if (_heads.Count == 0)
            _heads.Push(head); // it is read and returned within one event
    }

    public IServerStreamHandler Begin() => new HboneInbound(this);
}
