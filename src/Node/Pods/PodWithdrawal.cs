using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Api.Withdrawals;
using Weft.Client;

namespace Weft.Node.Pods;

/// <summary>
/// Waits until a pod that is being deleted gets no more requests, before its processes hear of its end. A server that does not answer, or a proxy that does not, holds up nobody's end for longer than
/// the time that is set aside for it.
/// </summary>
internal sealed partial class PodWithdrawal(KubeClient client, TimeProvider time, ILogger logger)
{
    // Of the grace a quarter at most: the rest is what the pod itself was promised. Requests that take longer than this (an open WebSocket) have no end that is worth waiting for.
    private const int ShareOfGrace = 4;
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    // The server answers at the end of the patience; this is for one that does not answer at all.
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(200);

    public static TimeSpan PatienceOf(TimeSpan grace) => grace / ShareOfGrace < Most ? grace / ShareOfGrace : Most;

    /// <summary>Returns when it is so, or when the time is over.</summary>
    public async Task WaitAsync(Pod pod, TimeSpan grace, CancellationToken cancellationToken)
    {
        var patience = PatienceOf(grace);
        if (patience <= TimeSpan.Zero)
            return;
        var (@namespace, name) = (pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "");
        using var limit = new CancellationTokenSource(patience + Margin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var answer = await client.GetJsonAsync(WithdrawalPaths.Of(@namespace, name, pod.Metadata.Uid!, patience), either.Token).WaitAsync(either.Token);
            if (answer[WithdrawalPaths.Answer]?.GetValue<bool>() != true)
                Log.TimeOver(logger, @namespace, name, patience.TotalSeconds);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Log.NotTold(logger, @namespace, name, "the server does not answer");
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            Log.NotTold(logger, @namespace, name, away.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Pod {Namespace}/{Pod} is told to end although something may still be sent to it, or is not answered yet: {Seconds:0.0} s are over", EventName = nameof(TimeOver))]
        public static partial void TimeOver(ILogger logger, string @namespace, string pod, double seconds);

        [LoggerMessage(LogLevel.Warning, "Pod {Namespace}/{Pod} is told to end, and whether something is still sent to it is not known: {Reason}", EventName = nameof(NotTold))]
        public static partial void NotTold(ILogger logger, string @namespace, string pod, string reason);
    }
}
