using Weft.Balancing;
using Weft.Proxy.Http;

namespace Weft.Proxy.Filters;

/// <summary>What filters need of the engine. All of it happens on the exchange's loop.</summary>
internal interface IExchangeHost
{
    /// <summary>Nanoseconds of a clock that does not go back, cached for this wake-up of the loop.</summary>
    long Now { get; }

    /// <summary>For what has a date: tokens, certificates. Cached as <see cref="Now"/>.</summary>
    DateTimeOffset Time { get; }

    /// <summary>Of the loop.</summary>
    ref Rng Rng { get; }

    /// <summary>Goes on with the suspended filter: its `OnRequest` is called again, soon and not within this call. May be called from any thread; without effect when the exchange is over.</summary>
    void Resume();

    /// <summary>As <see cref="Resume"/>, later. A delay in place replaces the one before.</summary>
    void ResumeAfter(TimeSpan delay);

    /// <summary>Asks another server beside the exchange. The handler is called once, on the loop, not within this call; after <see cref="IAsideQuestion.Cancel"/> not at all.</summary>
    /// <param name="question">Without a body. Copied.</param>
    IAsideQuestion Ask(string cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler);
}

internal interface IAsideQuestion
{
    void Cancel();
}

internal interface IAsideHandler
{
    /// <param name="answer">Null: none came (no endpoint, a time-out, a broken connection). Valid during the call.</param>
    /// <param name="body">What there is of it, up to 64 KB.</param>
    void OnAnswer(ResponseHead? answer, ReadOnlySpan<byte> body);
}
