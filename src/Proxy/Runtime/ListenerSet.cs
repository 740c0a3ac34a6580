using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Http1;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Runtime;

/// <summary>The listeners over all configurations. One whose name and address stay keeps its sockets and connections; only what they serve by changes.</summary>
internal sealed class ListenerSet(IReadOnlyList<LoopServices> loops)
{
    private readonly Dictionary<ListenerKey, Open> _open = [];

    /// <summary>Addresses by listener name, with the port that the kernel chose where 0 was asked for.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Addresses => _open.ToDictionary(pair => pair.Key.Name, pair => pair.Value.Address);

    /// <summary>Opens what is new. All or nothing: when an address cannot be had, nothing has changed.</summary>
    /// <returns>Sockets to be started by <see cref="ApplyAsync"/>.</returns>
    /// <exception cref="ProxyConfigException">Says which address, and why.</exception>
    public IReadOnlyDictionary<string, Socket[]> Bind(ProxyConfig config)
    {
        var bound = new Dictionary<string, Socket[]>();
        var errors = new List<string>();
        foreach (var listener in config.Listeners.Where(listener => !_open.ContainsKey(ListenerKey.Of(listener))))
        {
            var sockets = new List<Socket>();
            try
            {
                var address = new IPEndPoint(IPAddress.Parse(listener.Address), listener.Port);
                foreach (var _ in loops)
                {
                    sockets.Add(Listener.Bind(address));
                    address = (IPEndPoint)sockets[0].LocalEndPoint!;
                }

                bound.Add(listener.Name, [.. sockets]);
            }
            catch (SocketException failed)
            {
                sockets.ForEach(socket => socket.Dispose());
                errors.Add($"listener {listener.Name}: {listener.Address}:{listener.Port} cannot be listened on: {failed.Message}");
            }
        }

        if (errors.Count == 0)
            return bound;
        foreach (var socket in bound.Values.SelectMany(sockets => sockets))
            socket.Dispose();
        throw new ProxyConfigException(errors);
    }

    public async Task ApplyAsync(ProxyConfig config, IReadOnlyDictionary<string, Socket[]> bound, Func<ListenerConfig, HttpView> compile)
    {
        foreach (var listener in config.Listeners.ToArray())
        {
            var key = ListenerKey.Of(listener);
            var view = compile(listener);
            if (_open.TryGetValue(key, out var open))
                open.State.Publish(view);
            else
                _open.Add(key, await StartAsync(listener, view, bound[listener.Name]));
        }

        var wanted = config.Listeners.Select(ListenerKey.Of).ToHashSet();
        foreach (var key in _open.Keys.Where(key => !wanted.Contains(key)).ToList())
        {
            var gone = _open[key];
            _open.Remove(key);
            await EachAsync(gone, front => front.Drain());
            _draining.Add(gone);
        }
    }

    private readonly List<Open> _draining = [];

    /// <summary>Connections that are open, on all loops.</summary>
    public async Task<int> ConnectionsAsync()
    {
        var count = 0;
        foreach (var open in _open.Values.Concat(_draining))
            await EachAsync(open, front => Interlocked.Add(ref count, front.Connections));
        return count;
    }

    public async Task DrainAsync()
    {
        foreach (var open in _open.Values)
            await EachAsync(open, front => front.Drain());
    }

    public async Task CloseAsync()
    {
        foreach (var open in _open.Values.Concat(_draining))
            await EachAsync(open, front => front.Dispose());
        _open.Clear();
        _draining.Clear();
    }

    private async Task<Open> StartAsync(ListenerConfig listener, HttpView view, Socket[] sockets)
    {
        var state = new HttpListenerState(view);
        var fronts = new HttpFront[loops.Count];
        var http = listener.Http;
        for (var i = 0; i < fronts.Length; i++)
        {
            var (services, socket, number) = (loops[i], sockets[i], i);
            var options = new Http1ServerOptions(new Http1Limits(http.MaxRequestLineBytes, http.MaxHeaderBytes, http.MaxHeaders), "http")
            {
                IdleMilliseconds = (long)http.KeepAliveTimeout.TotalMilliseconds,
                HeadMilliseconds = (long)http.HeaderTimeout.TotalMilliseconds,
            };
            await services.Loop.PostAsync(() => fronts[number] = new HttpFront(services, socket, state, options));
        }

        return new Open(state, fronts, (IPEndPoint)sockets[0].LocalEndPoint!);
    }

    private async Task EachAsync(Open open, Action<HttpFront> action)
    {
        for (var i = 0; i < open.Fronts.Length; i++)
        {
            var front = open.Fronts[i];
            await loops[i].Loop.PostAsync(() => action(front));
        }
    }

    private sealed record Open(HttpListenerState State, HttpFront[] Fronts, IPEndPoint Address);

    private readonly record struct ListenerKey(string Name, string Address, int Port, ListenerKind Kind)
    {
        public static ListenerKey Of(ListenerConfig listener) => new(listener.Name, listener.Address, listener.Port, listener.Kind);
    }
}
