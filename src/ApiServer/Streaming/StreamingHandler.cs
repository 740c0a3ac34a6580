using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Streams;
using Weft.Api.Trees;
using Weft.ApiServer.Http;
using Weft.ApiServer.Streaming.PortForward;
using Weft.ApiServer.Streaming.RemoteCommand;
using Weft.ApiServer.Streaming.WebSockets;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Streaming;

/// <summary>pods/exec, pods/attach and pods/portforward: leaves HTTP for SPDY or WebSocket and connects the client to the node's streams.</summary>
public sealed partial class StreamingHandler(IPodStreams streams, TimeProvider time, ILoggerFactory loggers) : IConnectHandler
{
    // Each holds a connection and up to half a megabyte of buffers per stream.
    private const int MaxSessions = 1000;
    private const string DefaultContainerAnnotation = "kubectl.kubernetes.io/default-container";
    private const string TunnelProtocol = "SPDY/3.1+portforward.k8s.io";

    private readonly ILogger _logger = loggers.CreateLogger<StreamingHandler>();
    private int _sessions;

    public bool Serves(string resource, string subresource) => resource == "pods" && subresource is ("exec" or "attach" or "portforward");

    public async Task ConnectAsync(HttpContext context, RequestInfo request, JsonObject pod, CancellationToken cancellationToken)
    {
        if (pod.At("spec", "nodeName").AsText() is null or "")
            throw Statuses.BadRequest($"pod {request.Name} does not have a host assigned");
        var upgrade = UpgradeRequest.Read(context);
        if (Interlocked.Increment(ref _sessions) > MaxSessions)
        {
            Interlocked.Decrement(ref _sessions);
            throw Statuses.TooManyRequests($"{MaxSessions} exec, attach and port-forward sessions are open, close some", 5);
        }

        try
        {
            if (request.Subresource == "portforward")
                await PortForwardAsync(upgrade, context.Request.Query, Target(request, pod, ""), cancellationToken);
            else
                await CommandAsync(upgrade, context.Request.Query, request, pod, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _sessions);
        }
    }

    private async Task CommandAsync(UpgradeRequest upgrade, IQueryCollection query, RequestInfo request, JsonObject pod, CancellationToken cancellationToken)
    {
        var options = RemoteCommandOptions.Read(query);
        var target = Target(request, pod, Container(pod, query["container"].LastOrDefault(), request.Name));
        var command = query["command"].Select(argument => argument ?? "").ToList();
        if (request.Subresource == "exec" && command.Count == 0)
            throw Statuses.BadRequest("you must specify a command for the container");
        // Outside the pod's own containers nothing is told apart here: ended pods have nothing to run a command in.
        if (pod.At("status", "phase").AsText() is "Succeeded" or "Failed")
            throw Statuses.BadRequest($"cannot exec into or attach to a container in a completed pod; current phase is {pod.At("status", "phase").AsText()}");

        await using var channels = await OpenAsync(upgrade, options, cancellationToken);
        if (channels is null)
            return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, channels.ClientGone);
        var outcome = await RunAsync(request, target, command, channels, options, stop.Token);
        if (outcome is not null)
            await channels.FinishAsync(outcome);
    }

    private async Task<RemoteCommandChannels?> OpenAsync(UpgradeRequest upgrade, RemoteCommandOptions options, CancellationToken cancellationToken)
    {
        if (upgrade.IsSpdy)
        {
            var spoken = SpdyRemoteCommand.Protocols;
            var protocol = upgrade.Choose(spoken, silent: spoken[^1]) ?? throw upgrade.NoCommonProtocol(spoken);
            return await SpdyRemoteCommand.OpenAsync(await upgrade.SwitchToSpdyAsync(protocol), options, protocol, time, cancellationToken);
        }
        else
        {
            var spoken = WebSocketRemoteCommand.Protocols;
            var protocol = upgrade.Choose(spoken, silent: "") ?? throw upgrade.NoCommonProtocol(spoken);
            return await WebSocketRemoteCommand.OpenAsync(await upgrade.SwitchToWebSocketAsync(protocol), options, protocol, time, cancellationToken);
        }
    }

    /// <returns>Null when the client has gone.</returns>
    private async Task<RemoteCommandOutcome?> RunAsync(
        RequestInfo request, PodStreamTarget target, List<string> command, RemoteCommandChannels channels, RemoteCommandOptions options, CancellationToken cancellationToken)
    {
        var ends = new ContainerStreams(channels.Input, channels.Output, channels.Error, options.Terminal, channels.Resize);
        try
        {
            if (request.Subresource == "exec")
                return RemoteCommandOutcome.Exited(await streams.ExecAsync(target, command, ends, cancellationToken));
            await streams.AttachAsync(target, ends, cancellationToken);
            return RemoteCommandOutcome.Success;
        }
        catch (PodStreamException failure)
        {
            return RemoteCommandOutcome.Failed(failure);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        catch (IOException) when (channels.ClientGone.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failure)
        {
            // The answer has begun: the outcome is the only way left to tell the client, and the log the one to tell us.
            Log.SessionFailed(_logger, failure, request.Subresource, request.Namespace, request.Name);
            return RemoteCommandOutcome.InternalError("Internal error occurred: " + failure.Message);
        }
    }

    private async Task PortForwardAsync(UpgradeRequest upgrade, IQueryCollection query, PodStreamTarget target, CancellationToken cancellationToken)
    {
        if (upgrade.IsSpdy)
        {
            IReadOnlyList<string> spoken = [SpdyPortForward.Protocol];
            var protocol = upgrade.Choose(spoken, silent: SpdyPortForward.Protocol) ?? throw upgrade.NoCommonProtocol(spoken);
            await new SpdyPortForward(streams, target, time).RunAsync(await upgrade.SwitchToSpdyAsync(protocol), cancellationToken);
            return;
        }

        IReadOnlyList<string> all = [TunnelProtocol, .. WebSocketPortForward.Protocols];
        var chosen = upgrade.Choose(all, silent: "") ?? throw upgrade.NoCommonProtocol(all);
        if (chosen == TunnelProtocol)
        {
            await using var tunnel = new WebSocketTunnel(await upgrade.SwitchToWebSocketAsync(chosen));
            await new SpdyPortForward(streams, target, time).RunAsync(tunnel, cancellationToken);
            return;
        }

        var ports = Ports(query);
        using var socket = await upgrade.SwitchToWebSocketAsync(chosen);
        await new WebSocketPortForward(streams, target, time).RunAsync(socket, chosen, ports, cancellationToken);
    }

    private static List<int> Ports(IQueryCollection query)
    {
        var ports = new List<int>();
        foreach (var text in query["ports"].SelectMany(value => (value ?? "").Split(',')))
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
                throw Statuses.BadRequest($"query parameter \"ports\": '{text}' is not a port, give 1 to 65535");
            ports.Add(port);
        }

        return ports.Count is > 0 and <= WebSocketPortForward.MaxPorts
            ? ports
            : throw Statuses.BadRequest($"query parameter \"ports\" is required, with at most {WebSocketPortForward.MaxPorts} ports");
    }

    private static PodStreamTarget Target(RequestInfo request, JsonObject pod, string container) =>
        new(request.Namespace, request.Name, pod.At("metadata", "uid").AsText() ?? "", container);

    private static string Container(JsonObject pod, string? wanted, string name)
    {
        var ordinary = Names(pod, "containers");
        if (!string.IsNullOrEmpty(wanted))
        {
            return ordinary.Concat(Names(pod, "initContainers")).Concat(Names(pod, "ephemeralContainers")).Contains(wanted)
                ? wanted
                : throw Statuses.BadRequest($"container {wanted} is not valid for pod {name}");
        }

        if (pod.At("metadata", "annotations", DefaultContainerAnnotation).AsText() is { } annotated && ordinary.Contains(annotated))
            return annotated;
        return ordinary.Count == 1
            ? ordinary[0]
            : throw Statuses.BadRequest($"a container name must be specified for pod {name}, choose one of: [{string.Join(' ', ordinary)}]");
    }

    private static List<string> Names(JsonObject pod, string list) =>
        [.. (pod.At("spec", list) as JsonArray ?? []).Select(container => container.At("name").AsText() ?? "").Where(name => name.Length > 0)];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A session of {Subresource} with pod {Namespace}/{Pod} failed", EventName = nameof(SessionFailed))]
        public static partial void SessionFailed(ILogger logger, Exception failure, string subresource, string @namespace, string pod);
    }
}
