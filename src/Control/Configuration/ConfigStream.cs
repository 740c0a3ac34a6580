using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Control.Configuration;

/// <summary>
/// The server's side of one proxy's stream. One step is under way at a time: the next is taken when the proxy has acknowledged the last, and holds whatever
/// has changed meanwhile, each unit once.
/// </summary>
public sealed partial class ConfigStream(ConfigHub hub, TimeProvider time, ILogger<ConfigStream> logger)
{
    /// <summary>The path at the API server.</summary>
    public const string Path = "/weft.dev/config/v1";

    private static readonly TimeSpan HelloPatience = TimeSpan.FromSeconds(20);

    // Applying takes milliseconds; a proxy on a machine that is out of processors may take seconds.
    private static readonly TimeSpan AckPatience = TimeSpan.FromSeconds(30);

    /// <summary>Serves until the proxy goes or misbehaves.</summary>
    /// <param name="proxy">The authenticated name.</param>
    public async Task ServeAsync(string proxy, WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            await hub.Complete.WaitAsync(cancellationToken);
            await FollowAsync(proxy, new WireChannel(socket, time), cancellationToken);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or ObjectDisposedException)
        {
            Log.Gone(logger, proxy);
        }
        catch (Exception bad) when (bad is WireException or TimeoutException)
        {
            Log.Dropped(logger, proxy, bad.Message);
        }
    }

    private async Task FollowAsync(string proxy, WireChannel channel, CancellationToken cancellationToken)
    {
        var known = await HelloAsync(channel, cancellationToken);
        if (known is null)
            return;
        using var subscription = hub.Subscribe(proxy, known);
        Log.Connected(logger, proxy, known.Count, subscription.Behind);
        // Read all the time, so that the end of the connection is seen while there is nothing to send.
        var reading = ReceiveAsync(channel, subscription, cancellationToken);
        while (true)
        {
            var waiting = subscription.WaitAsync(cancellationToken);
            if (await Task.WhenAny(waiting, reading) == reading)
            {
                await Closed(reading);
                return;
            }

            await waiting;
            foreach (var message in subscription.Take())
                await channel.SendAsync(message, cancellationToken);
            if (await reading.WaitAsync(AckPatience, time, cancellationToken) is not { } answer)
                return;
            var ack = answer as Ack ?? throw new WireException("a message that is no acknowledgement");
            subscription.Acknowledge(ack);
            foreach (var rejection in ack.Rejected)
                Log.Rejected(logger, proxy, rejection.Key, rejection.Path, rejection.Error);
            reading = ReceiveAsync(channel, subscription, cancellationToken);
        }
    }

    // What drains is said in between.
    private static async Task<WireMessage?> ReceiveAsync(WireChannel channel, ConfigSubscription subscription, CancellationToken cancellationToken)
    {
        while (await channel.ReceiveAsync(cancellationToken) is { } message)
        {
            if (message is not Draining draining)
                return message;
            subscription.Drains(draining.Addresses);
        }

        return null;
    }

    private static async Task Closed(Task<WireMessage?> reading)
    {
        if (await reading is not null)
            throw new WireException("an acknowledgement that nothing was sent for");
    }

    private async Task<Dictionary<UnitKey, UnitHash>?> HelloAsync(WireChannel channel, CancellationToken cancellationToken)
    {
        var known = new Dictionary<UnitKey, UnitHash>();
        while (true)
        {
            var message = await channel.ReceiveAsync(cancellationToken).WaitAsync(HelloPatience, time, cancellationToken);
            if (message is null)
                return null;
            var hello = message as Hello ?? throw new WireException("a stream that does not begin with Hello");
            if (hello.WireVersion is < WireLimits.OldestVersion or > WireLimits.Version)
                throw new WireException($"wire version {hello.WireVersion}; this server speaks {WireLimits.OldestVersion} to {WireLimits.Version}");
            foreach (var unit in hello.Units)
                known[unit.Key] = unit.Hash;
            if (known.Count > WireLimits.MaxUnits)
                throw new WireException($"more than {WireLimits.MaxUnits} units");
            if (!hello.More)
                return known;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "proxy {Proxy} is connected; it has {Known} units and lacks {Behind}")]
        public static partial void Connected(ILogger logger, string proxy, int known, int behind);

        [LoggerMessage(LogLevel.Information, "proxy {Proxy} has gone")]
        public static partial void Gone(ILogger logger, string proxy);

        [LoggerMessage(LogLevel.Warning, "the stream of proxy {Proxy} is ended: {Reason}")]
        public static partial void Dropped(ILogger logger, string proxy, string reason);

        [LoggerMessage(LogLevel.Error, "proxy {Proxy} rejects {Key}: {Path} {Error}")]
        public static partial void Rejected(ILogger logger, string proxy, UnitKey key, string path, string error);
    }
}
