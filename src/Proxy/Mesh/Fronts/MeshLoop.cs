using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>The mesh on one loop.</summary>
internal sealed class MeshLoop : IFront
{
    private readonly MeshAcceptors _acceptors;
    private Listener[] _listeners = [];

    public MeshLoop(LoopServices services, MeshServing serving, OffLimits limits)
    {
        _acceptors = new MeshAcceptors(services, serving);
        Outbound = new OutboundFront(serving, _acceptors, limits);
        Inbound = new InboundFront(serving, _acceptors);
    }

    public EventLoop Loop => _acceptors.Services.Loop;

    public OutboundFront Outbound { get; }

    public InboundFront Inbound { get; }

    public int Connections => _acceptors.Connections;

    public bool IsBusy => _acceptors.IsBusy;

    /// <summary>Accepts from now on. The descriptors are this loop's; their sockets may be others', too.</summary>
    public void Listen(IReadOnlyCollection<Socket> outbound, IReadOnlyCollection<Socket> inbound)
    {
        foreach (var socket in outbound.Concat(inbound))
            socket.Blocking = false;
        _listeners = [.. outbound.Select(socket => new Listener(Loop, socket, Outbound.Accept)), .. inbound.Select(socket => new Listener(Loop, socket, AcceptInbound))];
        _listeners.Keep(KeepAlive.Of(MeshListeners.Outbound.KeepAlive));
    }

    /// <summary>As <see cref="MeshAcceptors.Revoke"/>.</summary>
    public void Revoke(IReadOnlySet<IPAddress> addresses) => _acceptors.Revoke(addresses);

    public void Drain(long milliseconds, DrainReason reason)
    {
        _listeners.Stop(reason);
        _acceptors.Drain(milliseconds, hurry: reason == DrainReason.ProcessEnds);
    }

    public void Close()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _acceptors.Close();
    }

    // In plaintext, so nobody knows who sends.
    private void AcceptInbound(int fd, IPEndPoint? peer)
    {
        if (peer is not null && SocketCalls.LocalEndPoint(fd) is { } meant)
            Inbound.Accept(fd, peer, meant, identity: null);
        else
            SocketCalls.Close(fd);
    }
}
