using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Tls;
using Weft.Proxy.Transport;
using Weft.Proxy.Transport.Interop;
using Weft.Proxy.Udp;

namespace Weft.Proxy.Runtime;

/// <summary>Makes what listeners serve by, for one configuration.</summary>
internal interface IViews
{
    HttpView Http(ListenerConfig listener);

    TcpView Tcp(ListenerConfig listener);

    TlsServerContext? Tls(ListenerConfig listener);
}

/// <summary>The listeners over all configurations. One whose name and address stay keeps its sockets and connections; only what they serve by changes.</summary>
/// <param name="keeper">Null: sockets end with the process.</param>
internal sealed class ListenerSet(IReadOnlyList<LoopServices> loops, ISocketKeeper? keeper = null)
{
    private readonly Dictionary<ListenerKey, Open> _open = [];
    private readonly List<Open> _draining = [];

    /// <summary>Addresses by listener name, with the port that the kernel chose where 0 was asked for.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses => _open.ToDictionary(pair => pair.Key.Name, pair => pair.Value.Address);

    /// <summary>Opens what is new and not kept from before. All or nothing: when an address cannot be had, nothing has changed.</summary>
    /// <returns>Sockets by listener, to be started by <see cref="ApplyAsync"/>.</returns>
    /// <exception cref="ProxyConfigException">Says which address, and why.</exception>
    public IReadOnlyDictionary<string, Bound> Bind(ProxyConfig config)
    {
        var bound = new Dictionary<string, Bound>();
        var errors = new List<string>();
        foreach (var listener in config.Listeners)
        {
            if (_open.ContainsKey(ListenerKey.Of(listener)))
                continue;
            if (Sockets(listener, out var error) is { } sockets)
                bound.Add(listener.Name, sockets);
            else
                errors.Add(error);
        }

        if (errors.Count == 0)
            return bound;
        GiveUp(bound);
        throw new ProxyConfigException(errors);
    }

    /// <summary>
    /// Gives up those that have not become listeners. What was taken from the keeper goes back, with what waits in it; nobody is to wait in the others (SO_REUSEPORT). Other processes may accept from
    /// the same sockets, so none is disposed of (<see cref="Listener.Detach"/>).
    /// </summary>
    public void GiveUp(IReadOnlyDictionary<string, Bound> bound)
    {
        foreach (var (key, sockets, wereKept) in bound.Values)
        {
            if (!_open.ContainsKey(key))
                GiveUp(key, sockets, wereKept);
        }
    }

    public async Task ApplyAsync(ProxyConfig config, IReadOnlyDictionary<string, Bound> bound, IViews views)
    {
        foreach (var listener in config.Listeners.ToArray())
        {
            if (_open.TryGetValue(ListenerKey.Of(listener), out var open))
                await RenewAsync(open, listener, views);
            else
                _open.Add(ListenerKey.Of(listener), await StartAsync(listener, views, bound[listener.Name].Sockets));
        }

        await ForgetDrainedAsync();
        var wanted = config.Listeners.Select(ListenerKey.Of).ToHashSet();
        foreach (var key in _open.Keys.Where(key => !wanted.Contains(key)).ToList())
        {
            var gone = _open[key];
            _open.Remove(key);
            keeper?.Release(key.ToString());
            await EachAsync(gone, (front, _) => front.Drain((long)config.DrainTimeout.TotalMilliseconds, DrainReason.Removed));
            _draining.Add(gone);
        }
    }

    /// <summary>An HTTP listener that is open serves by another view from its next request on.</summary>
    public void Publish(ListenerConfig listener, Func<HttpView, HttpView> change)
    {
        if (_open.TryGetValue(ListenerKey.Of(listener), out var open) && open.State is { } state)
            state.Publish(change(state.Current));
    }

    /// <summary>Connections that are open, on all loops.</summary>
    public async Task<int> ConnectionsAsync()
    {
        var count = 0;
        foreach (var open in _open.Values.Concat(_draining))
            await EachAsync(open, (front, _) => Interlocked.Add(ref count, front.Connections));
        return count;
    }

    /// <summary>Some of them are not only waited for to hear of the close.</summary>
    public async Task<bool> IsBusyAsync()
    {
        var busy = false;
        foreach (var open in _open.Values.Concat(_draining))
            await EachAsync(open, (front, _) => Volatile.Write(ref busy, Volatile.Read(ref busy) || front.IsBusy));
        return busy;
    }

    public async Task DrainAsync(TimeSpan most, DrainReason reason)
    {
        foreach (var open in _open.Values)
            await EachAsync(open, (front, _) => front.Drain((long)most.TotalMilliseconds, reason));
    }

    public async Task CloseAsync()
    {
        foreach (var open in _open.Values.Concat(_draining))
            await EachAsync(open, (front, _) => front.Close());
        _open.Clear();
        _draining.Clear();
    }

    private async Task ForgetDrainedAsync()
    {
        foreach (var open in _draining.ToArray())
        {
            var left = 0;
            await EachAsync(open, (front, _) => Interlocked.Add(ref left, front.Connections));
            if (left == 0)
                _draining.Remove(open);
        }
    }

    private Bound? Sockets(ListenerConfig listener, out string error)
    {
        error = "";
        var key = ListenerKey.Of(listener);
        var sockets = new List<Socket>();
        var wereKept = false;
        try
        {
            var address = new IPEndPoint(IPAddress.Parse(listener.Address), listener.Port);
            var descriptors = keeper?.Take(key.ToString()) ?? [];
            wereKept = descriptors.Count > 0;
            foreach (var kept in descriptors)
                sockets.Add(new Socket(new SafeSocketHandle(kept, ownsHandle: true)));
            // As many as there are loops at least, and none of those that were kept may be left out: what the kernel puts into it would wait for ever.
            while (sockets.Count < loops.Count)
            {
                // Of port 0 the kernel has made another for all of them.
                if (sockets.Count > 0)
                    address = (IPEndPoint)sockets[0].LocalEndPoint!;
                sockets.Add(listener.Kind == ListenerKind.Udp ? UdpRelay.Bind(address) : Listener.Bind(address, transparent: listener.Transparent));
            }

            return new Bound(key, sockets, wereKept);
        }
        catch (SocketException failed)
        {
            GiveUp(key, sockets, wereKept);
            error = $"listener {listener.Name}: {listener.Address}:{listener.Port} cannot be listened on: {failed.Message}";
            return null;
        }
    }

    private void GiveUp(ListenerKey key, IReadOnlyList<Socket> sockets, bool wereKept)
    {
        // A detached one is a listener's already.
        var descriptors = sockets.Where(socket => !socket.SafeHandle.IsClosed).Select(Listener.Detach).ToList();
        if (wereKept)
        {
            keeper!.GiveBack(key.ToString(), descriptors);
            return;
        }

        keeper?.Release(key.ToString());
        descriptors.ForEach(SocketCalls.Close);
    }

    private async Task<Open> StartAsync(ListenerConfig listener, IViews views, IReadOnlyList<Socket> sockets)
    {
        var state = listener.Kind == ListenerKind.Http ? new HttpListenerState(views.Http(listener)) : null;
        var connections = state is null || PassesOn(listener) ? views.Tcp(listener) : null;
        var tls = views.Tls(listener);
        keeper?.Keep(ListenerKey.Of(listener).ToString(), [.. sockets.Select(socket => (int)socket.Handle)]);
        var open = new Open(state, new IFront[loops.Count], (IPEndPoint)sockets[0].LocalEndPoint!);
        await EachAsync(open, (_, number) => open.Fronts[number] = Start(loops[number], sockets.Where((_, at) => at % loops.Count == number)));
        return open;

        IFront Start(LoopServices loop, IEnumerable<Socket> own) =>
            state is not null ? new HttpFront(loop, own, state, tls, connections)
            : listener.Kind == ListenerKind.Udp ? new UdpFront(loop, own, open.Address, connections!)
            : new TcpFront(loop, own, connections!, tls);
    }

    private async Task RenewAsync(Open open, ListenerConfig listener, IViews views)
    {
        var tls = views.Tls(listener);
        if (open.State is { } state)
        {
            var passed = PassesOn(listener) ? views.Tcp(listener) : null;
            state.Publish(views.Http(listener));
            await EachAsync(open, (front, _) => ((HttpFront)front).Renew(tls, passed));
        }
        else
        {
            var view = views.Tcp(listener);
            await EachAsync(open, (front, _) =>
            {
                if (front is UdpFront udp)
                    udp.Renew(view);
                else
                    ((TcpFront)front).Renew(view, tls);
            });
        }
    }

    private static bool PassesOn(ListenerConfig listener) => listener.Tls is { Passthrough.IsEmpty: false };

    private async Task EachAsync(Open open, Action<IFront, int> action)
    {
        for (var i = 0; i < open.Fronts.Length; i++)
        {
            var number = i;
            await loops[i].Loop.PostAsync(() => action(open.Fronts[number], number));
        }
    }

    /// <summary>Sockets of a listener that is about to begin.</summary>
    /// <param name="WereKept">A process before this one had some of them.</param>
    internal sealed record Bound(ListenerKey Key, IReadOnlyList<Socket> Sockets, bool WereKept);

    private sealed record Open(HttpListenerState? State, IFront[] Fronts, IPEndPoint Address);

    internal readonly record struct ListenerKey(string Name, string Address, int Port, ListenerKind Kind, bool Transparent)
    {
        /// <summary>What its sockets are kept by.</summary>
        public override string ToString() => FormattableString.Invariant($"{Kind} {Address} {Port} {Name}{(Transparent ? " transparent" : "")}");

        public static ListenerKey Of(ListenerConfig listener) => new(listener.Name, listener.Address, listener.Port, listener.Kind, listener.Transparent);
    }
}
