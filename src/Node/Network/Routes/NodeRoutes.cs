using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Client;

namespace Weft.Node.Network.Routes;

/// <summary>Keeps this machine's routes to the other nodes' pods, from the Node objects.</summary>
internal sealed partial class NodeRoutes(string self, string clusterCidr, string runDir, Informer<Api.Core.Node> nodes, TimeProvider time, ILogger<NodeRoutes> logger)
{
    /// <summary>Marks Weft's routes in the kernel's table (rtnetlink(7), rtm_protocol); iproute2's rt_protos names nothing so.</summary>
    public const int Protocol = 87;

    // Repairs what somebody else took away; changes of nodes come at once.
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(30);

    // A hundred nodes that join at once are one change.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var changed = new SemaphoreSlim(0);
        using var subscription = nodes.Cache.Subscribe(change =>
        {
            // Heartbeats change the object every few seconds, and never what is routed.
            if (change.Old is null || change.New is null || change.Old.Spec.PodCIDR != change.New.Spec.PodCIDR
                || !change.Old.Status.Addresses.SequenceEqual(change.New.Status.Addresses))
                changed.Release();
        });
        try
        {
            await nodes.Synced.WaitAsync(cancellationToken);
            while (true)
            {
                try
                {
                    await ApplyAsync(cancellationToken);
                }
                catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
                {
                    Log.NotSet(logger, refused.Message);
                }

                if (await changed.WaitAsync(Resync, cancellationToken))
                {
                    await Task.Delay(Gather, time, cancellationToken);
                    while (changed.CurrentCount > 0)
                        await changed.WaitAsync(cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The agent stops; routes stay, as pods do.
        }
    }

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        var (links, addresses, names) = Links();
        var wanted = NodeRoutePlanner.Plan(self, nodes.Cache.All(), links, addresses);
        var range = IPNetwork.Parse(clusterCidr);
        // Another cluster's routes carry the same mark: only those into this cluster's network are ours.
        var present = NodeRoutePlanner.Parse(await IpAsync(null, cancellationToken, "route", "show", "proto", $"{Protocol}"))
            .Where(route => IPNetwork.TryParse(route.Destination, out var destination) && (range.Contains(destination.BaseAddress) || wanted.Any(w => w.Destination == route.Destination))).ToList();
        var commands = NodeRoutePlanner.Difference(wanted, present, Protocol);
        LoopbackLinks.Allow(runDir, wanted.Select(route => route.Via).OfType<string>().Select(IPAddress.Parse)
            .SelectMany(via => names.Where(link => link.Network.PrefixLength is > 0 and < 32 && link.Network.Contains(via)).Select(link => link.Name)));
        // Nodes without a route of their own here are reached as the rest of the world is.
        if (nodes.Cache.All().Any(node => node.Metadata.Name != self && IPNetwork.TryParse(node.Spec.PodCIDR ?? "", out var pods) && !wanted.Any(route => route.Destination == pods.ToString())))
            LoopbackLinks.Allow(runDir, LoopbackLinks.OfDefaultRoute(await File.ReadAllLinesAsync("/proc/net/route", cancellationToken)));
        if (commands.Count == 0)
            return;
        await IpAsync(string.Join('\n', commands) + "\n", cancellationToken, "-force", "-batch", "-");
        Log.Set(logger, wanted.Count);
    }

    /// <summary>Takes the routes into a cluster's network off the machine.</summary>
    public static async Task RemoveAsync(string clusterCidr)
    {
        var text = await IpAsync(null, CancellationToken.None, "route", "show", "root", clusterCidr, "proto", $"{Protocol}");
        if (NodeRoutePlanner.Difference([], NodeRoutePlanner.Parse(text), Protocol) is { Count: > 0 } commands)
            await IpAsync(string.Join('\n', commands) + "\n", CancellationToken.None, "-force", "-batch", "-");
    }

    private static (List<IPNetwork> Links, List<IPAddress> Addresses, List<(IPNetwork Network, string Name)> Names) Links()
    {
        var unicast = NetworkInterface.GetAllNetworkInterfaces().Where(link => link.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .SelectMany(link => link.GetIPProperties().UnicastAddresses.Where(address => address.Address.AddressFamily == AddressFamily.InterNetwork)
                .Select(address => (Network: new IPNetwork(Base(address.Address, address.PrefixLength), address.PrefixLength), link.Name, address.Address))).ToList();
        return ([.. unicast.Select(link => link.Network)], [.. unicast.Select(link => link.Address)], [.. unicast.Select(link => (link.Network, link.Name))]);
    }

    private static IPAddress Base(IPAddress address, int prefix)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefix; bit < 32; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPAddress(bytes);
    }

    private static async Task<string> IpAsync(string? input, CancellationToken cancellationToken, params string[] arguments)
    {
        var program = new[] { "/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip" }.FirstOrDefault(File.Exists)
            ?? throw new IOException("ip is missing: install the package iproute2 (apt-get install iproute2)");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start) ?? throw new IOException("ip did not start");
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.StandardInput.WriteAsync((input ?? "").AsMemory(), cancellationToken);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? await output : throw new IOException($"ip {string.Join(' ', arguments)}: {(await errors).Trim()} {input?.Trim()}");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} routes to the pods of other nodes", EventName = nameof(Set))]
        public static partial void Set(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "Routes to other nodes could not be set: {Cause}", EventName = nameof(NotSet))]
        public static partial void NotSet(ILogger logger, string cause);
    }
}
