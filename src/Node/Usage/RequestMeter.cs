using Microsoft.Extensions.Logging;
using Weft.Api.Streams;

namespace Weft.Node.Usage;

/// <summary>Asks the node's proxy every 10 s how many requests it has sent to each address; what is sent now is the difference of the last two answers.</summary>
/// <param name="totals">Since the proxy started.</param>
internal sealed partial class RequestMeter(Func<CancellationToken, Task<IReadOnlyDictionary<string, long>>> totals, TimeProvider time, ILogger<RequestMeter> logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private Reading? _last;
    private RequestSamples? _current;
    private bool _failing;

    /// <summary>Null: it was not answered twice in a row.</summary>
    public RequestSamples? Current => Volatile.Read(ref _current);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            do
                await LookAsync(cancellationToken);
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var reading = new Reading(time.GetTimestamp(), await totals(cancellationToken));
            var window = _last is null ? TimeSpan.Zero : time.GetElapsedTime(_last.At, reading.At);
            if (_last is not null && window > TimeSpan.Zero)
                Volatile.Write(ref _current, new RequestSamples(time.GetUtcNow(), window, Rates(_last.Totals, reading.Totals, window)));
            (_last, _failing) = (reading, false);
        }
        catch (Exception away) when (away is IOException or TimeoutException)
        {
            // Old figures would be taken for those of now.
            Volatile.Write(ref _current, null);
            _last = null;
            if (!_failing)
                Log.NotTold(logger, away.Message);
            _failing = true;
        }
    }

    // A total that is smaller than before began anew, with the proxy or the address.
    private static Dictionary<string, long> Rates(IReadOnlyDictionary<string, long> before, IReadOnlyDictionary<string, long> now, TimeSpan window)
    {
        var rates = new Dictionary<string, long>();
        foreach (var (address, total) in now)
        {
            var earlier = before.GetValueOrDefault(address);
            if ((earlier <= total ? total - earlier : total) is > 0 and var sent)
                rates[address] = (long)Math.Round(sent * 1000 / window.TotalSeconds);
        }

        return rates;
    }

    private sealed record Reading(long At, IReadOnlyDictionary<string, long> Totals);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "How many requests pods are sent is not known: {Cause}", EventName = nameof(NotTold))]
        public static partial void NotTold(ILogger logger, string cause);
    }
}
