using System.Net;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>What pods of this node send, on one loop: the address that a connection was meant for says which host it belongs to, and the host's port says what is spoken.</summary>
internal sealed class OutboundFront(MeshServing serving, MeshAcceptors acceptors, OffLimits limits)
{
    /// <summary>Connections that were closed because nobody knows who sends them, or because they go to what the sender may not call.</summary>
    public long Refused { get; private set; }

    /// <param name="peer">The pod.</param>
    public void Accept(int fd, IPEndPoint? peer) => Accept(fd, peer, SocketCalls.LocalEndPoint(fd));

    /// <param name="meant">The address before it was captured.</param>
    public void Accept(int fd, IPEndPoint? peer, IPEndPoint? meant)
    {
        if (peer is null || meant is null || serving.SourceOf(peer.Address.Plain()) is not { } source)
        {
            Refuse(fd);
            return;
        }

        var (from, to, view) = (peer.Plain(), meant.Plain(), serving.View);
        // Capturing leaves them alone; whatever brings them here does not make them anybody's way into the node.
        if (limits.ForConnections(to.Address))
        {
            Refuse(fd, new Caller(source, from, to), "address_of_the_node");
            return;
        }

        var host = view.HostOf(to);
        if (host is not null && serving.PortOf(host, to.Port) is { } port)
            ToHost(fd, new Caller(source, from, to), port);
        else if (host is not null && (WorkloadNames.IsService(host.Name) || AllocatedAddresses.Contains(to.Address)))
            Refuse(fd, new Caller(source, from, to), "no_such_port");
        else if (view.DialledAt(to) is { IsEmpty: false } dialled && serving.PortOf(dialled) is { } own)
            ToDialled(fd, new Caller(source, from, to), own);
        else if (view.Workloads.ContainsKey(to.Address))
            acceptors.Tunnel(fd, new Caller(source, from, to).FactsOf(to.Address.ToString()), MeshClusters.Pod);
        else if (AllocatedAddresses.Contains(to.Address))
            Refuse(fd, new Caller(source, from, to), "unknown_host"); // of a host that was there: nobody else has the address
        else if (view.Named.TryGetValue(to.Port, out var named) && !named.IsEmpty)
            ByName(fd, new Caller(source, from, to), new NamedHosts(named));
        else
            Unknown(fd, new Caller(source, from, to));
    }

    private void ToHost(int fd, Caller caller, OutboundPort port)
    {
        switch (port.Port.Protocol)
        {
            case PortProtocol.Http or PortProtocol.Http2 when port.Http is not null:
                Http(fd, caller, port);
                break;
            case PortProtocol.Tcp:
                Bytes(fd, caller, port);
                break;
            default:
                acceptors.Wait(fd, spoken =>
                {
                    if (spoken == Spoken.Http && port.Http is not null)
                        Http(fd, caller, port);
                    else if (spoken == Spoken.Tls)
                        acceptors.Tls(fd, caller.From, name => Target(caller, port, name));
                    else
                        Bytes(fd, caller, port);
                });
                break;
        }
    }

    // Of a headless service its requests have routes; bytes go to the endpoint that was dialled, like those to any pod.
    private void ToDialled(int fd, Caller caller, OutboundPort port)
    {
        switch (port.Port.Protocol)
        {
            case PortProtocol.Http or PortProtocol.Http2 when port.Http is not null:
                Http(fd, caller, port);
                break;
            case PortProtocol.Auto when port.Http is not null:
                acceptors.Wait(fd, spoken =>
                {
                    if (spoken == Spoken.Http)
                        Http(fd, caller, port);
                    else
                        Tunnel();
                });
                break;
            default:
                Tunnel();
                break;
        }

        void Tunnel() => acceptors.Tunnel(fd, caller.FactsOf(port.Host.Name, port.Labels), MeshClusters.Pod);
    }

    private void Http(int fd, Caller caller, OutboundPort port)
    {
        var facts = caller.FactsOf(port.Host.Name, port.Labels);
        acceptors.Http(fd, caller.From, client => new DownstreamConnection(acceptors.Services, port.Http!, facts, client.Http2 ? (byte)20 : (byte)11));
    }

    private void Bytes(int fd, Caller caller, OutboundPort port) => acceptors.Tunnel(fd, caller.From, () => Target(caller, port, null));

    private Tunnels.TcpTarget? Target(Caller caller, OutboundPort port, string? serverName)
    {
        var facts = caller.FactsOf(port.Host.Name, port.Labels) with { ServerName = serverName };
        return port.Connections.Find(facts) is { } chosen && serving.Clusters.TryGetValue(chosen.Cluster, out var cluster) ? TcpTargets.Of(acceptors.Services, cluster, chosen.Subset, facts) : null;
    }

    // Hosts outside have addresses that the mesh has never heard of: the client says in TLS or HTTP which one it means.
    private void ByName(int fd, Caller caller, NamedHosts hosts) => acceptors.Wait(fd, spoken =>
    {
        if (spoken == Spoken.Tls)
            acceptors.Tls(fd, caller.From, name => hosts.Find(name) is { } host && serving.PortOf(host, caller.To.Port) is { } port ? Target(caller, port, name) : Elsewhere(caller));
        else if (spoken == Spoken.Http && serving.NamedPort(caller.To.Port, caller.Source.KnownHostsOnly) is { } http)
            acceptors.Http(fd, caller.From, client => new DownstreamConnection(acceptors.Services, http, caller.FactsOf(caller.To.Address.ToString()), client.Http2 ? (byte)20 : (byte)11));
        else
            Unknown(fd, caller);
    });

    private void Unknown(int fd, Caller caller)
    {
        if (caller.Source.KnownHostsOnly)
            Refuse(fd, caller, "unknown_host");
        else
            acceptors.Tunnel(fd, caller.FactsOf(caller.To.Address.ToString()), MeshClusters.Passthrough);
    }

    private Tunnels.TcpTarget? Elsewhere(Caller caller) => caller.Source.KnownHostsOnly || !serving.Clusters.TryGetValue(MeshClusters.Passthrough, out var passthrough)
        ? null
        : TcpTargets.Of(acceptors.Services, passthrough, null, caller.FactsOf(caller.To.Address.ToString()));

    private void Refuse(int fd, Caller caller, string why)
    {
        ConnectionRecord.Refused(acceptors.Services, caller.FactsOf(caller.To.Address.ToString()), null, why);
        Refuse(fd);
    }

    private void Refuse(int fd)
    {
        Refused++;
        SocketCalls.Reset(fd);
    }
}
