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

    /// <summary>Of the wait that a filter begins by suspending. Read on the loop; a later wait, of this exchange or of the next one that its object is used for, has another.</summary>
    long Ticket { get; }

    /// <summary>Goes on with the filter that suspended with this ticket: its `OnRequest` is called again, soon and not within this call. May be called from any thread; without effect when that wait is over.</summary>
    void Resume(long ticket);

    /// <summary>As <see cref="Resume"/>, later. A delay in place replaces the one before.</summary>
    void ResumeAfter(TimeSpan delay);

    /// <summary>Asks another server beside the exchange. The handler is called once, on the loop, not within this call; after <see cref="IAsideQuestion.Cancel"/> not at all.</summary>
    /// <param name="question">Its own: the caller does not touch it any more.</param>
    /// <param name="grpc">The body of a gRPC call; empty: a question of plain HTTP, without a body.</param>
    IAsideQuestion Ask(string cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler, ReadOnlyMemory<byte> grpc = default);
}

internal interface IAsideQuestion
{
    void Cancel();
}

internal interface IAsideHandler
{
    /// <param name="answer">Null: none came (no endpoint, a time-out, a broken connection). Valid during the call.</param>
    /// <param name="body">What there is of it, up to 64 KB. Trailers of a gRPC call are among the answer's fields.</param>
    void OnAnswer(ResponseHead? answer, ReadOnlySpan<byte> body);
}
