using System.Net.Sockets;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Dns.Forwarding;

/// <summary>Answers to questions about names that are not the cluster's: from the cache, from who is asking the same just now, or from the machine's servers.</summary>
internal sealed class Forwarder(Upstreams upstreams, AnswerCache cache, TimeProvider time)
{
    // Most resolvers give up after 5 s: all tries together must be over by then.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);
    private const int Tries = 3;

    // While nobody answers, one short try is enough to notice when somebody does: on a machine without a network every name that is not the cluster's
    // would else cost its asker all of the patience.
    private static readonly TimeSpan ShortPatience = TimeSpan.FromMilliseconds(300);

    /// <summary>Each has a socket; beyond it the answer is SERVFAIL at once, and the client asks another server or later.</summary>
    private const int MaxInFlight = 512;

    private readonly Lock _gate = new();
    private readonly Dictionary<Question, Task<UpstreamAnswer?>> _inFlight = [];

    public UpstreamAnswer? Cached(Question question, out TimeSpan age) => cache.Find(question, out age);

    /// <summary>Null when nobody answers. The same question is asked once, however many wait for it.</summary>
    public Task<UpstreamAnswer?> ResolveAsync(Question question)
    {
        lock (_gate)
        {
            if (_inFlight.TryGetValue(question, out var underway))
                return underway;
            if (_inFlight.Count >= MaxInFlight)
                return Task.FromResult<UpstreamAnswer?>(null);
            var asking = AskAsync(question);
            if (!asking.IsCompleted)
                _inFlight[question] = asking;
            return asking;
        }
    }

    private async Task<UpstreamAnswer?> AskAsync(Question question)
    {
        await Task.Yield(); // the entry in the table comes first
        try
        {
            var answer = await AskServersAsync(question);
            if (answer is not null)
                cache.Add(question, answer);
            return answer;
        }
        finally
        {
            lock (_gate)
                _inFlight.Remove(question);
        }
    }

    private async Task<UpstreamAnswer?> AskServersAsync(Question question)
    {
        var servers = upstreams.InOrder;
        UpstreamAnswer? refusal = null;
        var offline = upstreams.AllFailing;
        for (var i = 0; i < (offline ? 1 : Tries) && servers.Length > 0; i++)
        {
            var server = servers[i % servers.Length];
            using var patience = new CancellationTokenSource(offline ? ShortPatience : Patience, time);
            try
            {
                var answer = await UpstreamExchange.AskAsync(server, question, patience.Token);
                if (answer is { Rcode: Rcode.NoError or Rcode.NxDomain })
                {
                    upstreams.Answered(server);
                    return answer;
                }

                refusal = answer ?? refusal; // another server may know better
                if (i >= servers.Length - 1)
                    return refusal;
            }
            catch (Exception silent) when (silent is SocketException or OperationCanceledException)
            {
                upstreams.Failed(server);
            }
        }

        return refusal;
    }
}
