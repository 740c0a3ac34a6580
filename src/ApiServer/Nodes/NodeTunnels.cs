using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Api.Streams;
using Weft.Api.Streams.Tunnels;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Streaming;

namespace Weft.ApiServer.Nodes;

/// <summary>
/// Streams of pods on every node. The node of this process is asked directly; another one has dialled us and waits for orders, so that a node behind
/// a firewall or an address translation is reached too. For each order it dials once more: a stream has a connection of its own.
/// </summary>
/// <param name="local">The node in this process.</param>
/// <param name="authenticator">Who dials: a node's certificate, and nothing else.</param>
public sealed partial class NodeTunnels(
    string localNode, IPodStreams local, StoredObjects objects, IAuthenticator authenticator, TimeProvider time, ILoggerFactory loggers) : IPodStreams, IPathHandler
{
    // An agent answers at once or not at all.
    private static readonly TimeSpan DialPatience = TimeSpan.FromSeconds(15);

    // A node of 1,000 containers tells some 200 KB.
    private const int MaxUsage = 4 * 1024 * 1024;

    private readonly ILogger _logger = loggers.CreateLogger<NodeTunnels>();
    private readonly ConcurrentDictionary<string, TunnelSocket> _nodes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Expected> _expected = new(StringComparer.Ordinal);

    private sealed record Expected(string Node, TaskCompletionSource<TunnelSocket> Dialled, TaskCompletionSource Over);

    /// <summary>Nodes whose agents wait for orders now.</summary>
    public IReadOnlyCollection<string> Connected => [.. _nodes.Keys];

    public bool Matches(RequestInfo request) => !request.IsResource && (request.Path == TunnelPaths.Orders || request.Path.StartsWith(TunnelPaths.Orders + "/", StringComparison.Ordinal));

    public async Task HandleAsync(HttpContext context, RequestInfo request, CancellationToken cancellationToken)
    {
        var user = await authenticator.AuthenticateAsync(context, cancellationToken);
        var node = (user is null ? null : NodeIdentity.NodeName(user)) ?? throw Statuses.ForbiddenPath("only a node's own certificate may open a tunnel");
        var upgrade = UpgradeRequest.Read(context);
        if (upgrade.IsSpdy)
            throw Statuses.BadRequest("a tunnel is a WebSocket");
        if (request.Path == TunnelPaths.Orders)
            await WaitForOrdersAsync(node, new TunnelSocket(await upgrade.SwitchToWebSocketAsync("")), cancellationToken);
        else
            await JoinStreamAsync(node, request.Path[(TunnelPaths.Orders.Length + 1)..], upgrade, cancellationToken);
    }

    private async Task WaitForOrdersAsync(string node, TunnelSocket socket, CancellationToken cancellationToken)
    {
        // The newest connection counts: an agent that dials again has lost the old one, whatever TCP still believes.
        _nodes.AddOrUpdate(node, socket, (_, old) =>
        {
            old.Abort();
            return socket;
        });
        Log.Connected(_logger, node);
        try
        {
            var buffer = new byte[256];
            while (await socket.ReceiveAsync(buffer, cancellationToken) is not null)
            {
                // An agent says nothing here; reading answers its pings, and notices its end.
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // It dials again when it can.
        }
        finally
        {
            _nodes.TryRemove(new(node, socket));
            socket.Dispose();
            Log.Disconnected(_logger, node);
        }
    }

    private async Task JoinStreamAsync(string node, string id, UpgradeRequest upgrade, CancellationToken cancellationToken)
    {
        if (!_expected.TryGetValue(id, out var expected) || expected.Node != node || !_expected.TryRemove(new(id, expected)))
            throw Statuses.NoSuchPath();
        var socket = new TunnelSocket(await upgrade.SwitchToWebSocketAsync(""));
        if (!expected.Dialled.TrySetResult(socket))
        {
            socket.Dispose();
            return;
        }

        // The request lives as long as the stream.
        await using var stop = cancellationToken.Register(socket.Abort);
        await expected.Over.Task;
    }

    public async Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken)
    {
        if (Elsewhere(target) is not { } node)
        {
            await local.LogsAsync(target, options, output, cancellationToken);
            return;
        }

        await using var stream = await OrderAsync(node, new TunnelOrder(NewId(), TunnelKind.Logs) { Target = target, Logs = options, Output = true }, cancellationToken);
        await stream.ReceiveAsync(output, null, cancellationToken);
    }

    public async Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken) =>
        Elsewhere(target) is { } node
            ? await RunAsync(node, Order(TunnelKind.Exec, target, streams) with { Command = command }, streams, cancellationToken)
            : await local.ExecAsync(target, command, streams, cancellationToken);

    public async Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken)
    {
        if (Elsewhere(target) is { } node)
            await RunAsync(node, Order(TunnelKind.Attach, target, streams), streams, cancellationToken);
        else
            await local.AttachAsync(target, streams, cancellationToken);
    }

    /// <inheritdoc cref="PodConnector"/>
    public async Task<Stream?> ConnectElsewhereAsync(PodStreamTarget target, int port, CancellationToken cancellationToken) =>
        Elsewhere(target) is null ? null : await ConnectAsync(target, port, cancellationToken);

    public async Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken)
    {
        if (Elsewhere(target) is not { } node)
            return await local.ConnectAsync(target, port, cancellationToken);
        var stream = await OrderAsync(node, new TunnelOrder(NewId(), TunnelKind.Connect) { Target = target, Port = port }, cancellationToken);
        try
        {
            await stream.ReceiveAsync(null, null, cancellationToken);
            return new TunnelDuplex(stream.Socket, stream.DisposeAsync);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    public async Task<NodeUsage> UsageAsync(string node, CancellationToken cancellationToken)
    {
        if (node == localNode)
            return await local.UsageAsync(node, cancellationToken);
        await using var stream = await OrderAsync(node, new TunnelOrder(NewId(), TunnelKind.Usage) { Output = true }, cancellationToken);
        using var answer = new BoundedBuffer(MaxUsage);
        await stream.ReceiveAsync(answer, null, cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(answer.Written, TunnelJson.Default.NodeUsage) ?? NodeUsage.Nothing;
        }
        catch (JsonException broken)
        {
            throw new IOException($"what node {node} says of its usage is no JSON of this form", broken);
        }
    }

    /// <summary>Nodes that can be asked now.</summary>
    public IReadOnlyCollection<string> Reachable => [localNode, .. _nodes.Keys.Where(node => node != localNode)];

    public async Task InspectAsync(string node, string question, Stream output, CancellationToken cancellationToken)
    {
        if (node == localNode)
        {
            await local.InspectAsync(node, question, output, cancellationToken);
            return;
        }

        await using var stream = await OrderAsync(node, new TunnelOrder(NewId(), TunnelKind.Inspect) { Question = question, Output = true }, cancellationToken);
        await stream.ReceiveAsync(output, null, cancellationToken);
    }

    private static TunnelOrder Order(TunnelKind kind, PodStreamTarget target, ContainerStreams streams) => new(NewId(), kind)
    {
        Target = target, Input = streams.Input is not null, Output = streams.Output is not null, Error = streams.Error is not null, Terminal = streams.Terminal,
    };

    private async Task<int> RunAsync(string node, TunnelOrder order, ContainerStreams streams, CancellationToken cancellationToken)
    {
        await using var stream = await OrderAsync(node, order, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = Task.WhenAll(stream.SendInputAsync(streams.Input, stop.Token), stream.SendSizesAsync(streams.Resize, stop.Token));
        try
        {
            return await stream.ReceiveAsync(streams.Output, streams.Error, cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            // A client's input that cannot be cancelled ends with its connection, which the caller closes next.
            await Task.WhenAny(up, Task.Delay(TimeSpan.FromSeconds(1), time, CancellationToken.None));
        }
    }

    private async Task<OrderedStream> OrderAsync(string node, TunnelOrder order, CancellationToken cancellationToken)
    {
        if (!_nodes.TryGetValue(node, out var orders))
            throw new PodStreamException(PodStreamError.NotRunning, $"node {node} is not connected: is its agent running? (kubectl describe node {node})");
        var expected = new Expected(node, new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
        _expected[order.Id] = expected;
        try
        {
            await orders.SendTextAsync(order, TunnelJson.Default.TunnelOrder, cancellationToken);
            var socket = await expected.Dialled.Task.WaitAsync(DialPatience, time, cancellationToken);
            return new OrderedStream(order, socket, orders, expected.Over);
        }
        catch (Exception failed) when (failed is IOException or TimeoutException or OperationCanceledException)
        {
            _expected.TryRemove(order.Id, out _);
            if (!expected.Dialled.TrySetCanceled(CancellationToken.None) && expected.Dialled.Task.IsCompletedSuccessfully)
            {
                (await expected.Dialled.Task).Dispose();
                expected.Over.TrySetResult();
            }

            if (failed is OperationCanceledException)
                throw;
            throw new PodStreamException(PodStreamError.NotRunning, $"node {node} does not answer: {failed.Message}");
        }
    }

    /// <summary>The pod's node when it is not the one of this process.</summary>
    private string? Elsewhere(PodStreamTarget target)
    {
        var pod = objects.Get("", "pods", target.Namespace, target.Pod);
        var node = pod?.At("spec", "nodeName").AsText();
        return string.IsNullOrEmpty(node) || node == localNode ? null : node;
    }

    // Whoever guesses it still needs the certificate of the node that was asked.
    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Node {Node} waits for streams", EventName = nameof(Connected))]
        public static partial void Connected(ILogger logger, string node);

        [LoggerMessage(LogLevel.Information, "Node {Node} no longer waits for streams", EventName = nameof(Disconnected))]
        public static partial void Disconnected(ILogger logger, string node);
    }
}
