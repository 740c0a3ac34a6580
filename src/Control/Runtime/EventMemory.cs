using Weft.Api;
using Weft.Api.Core;

namespace Weft.Control.Runtime;

internal sealed record EventNews(ObjectReference Regarding, string Type, string Reason, string Message, DateTimeOffset At)
{
    /// <summary>One of many with the same reason: they share one Event, which tells the last of them.</summary>
    public bool IsCombined { get; init; }
}

internal abstract record EventDecision
{
    public sealed record Create : EventDecision;

    public sealed record Again(ObjectKey Key, int Count) : EventDecision;

    public sealed record TooMany : EventDecision;
}

/// <summary>What was said lately, so that it is counted and not repeated. Bounded; pure but for its memory.</summary>
internal sealed class EventMemory
{
    // client-go's cache of 4096 events, its burst of 25 per object and its refill of one in 5 minutes.
    private const int Remembered = 4096;
    private const int Burst = 25;
    private static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);

    // client-go's correlator: from the tenth different sentence about one thing within ten minutes on, they are one Event.
    private const int Different = 10;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Dictionary<(string Uid, string Type, string Reason, string Message), (ObjectKey Key, int Count)> _said = [];
    private readonly Dictionary<string, (double Tokens, DateTimeOffset At)> _budget = [];
    private readonly Dictionary<(string Uid, string Type, string Reason), (HashSet<string> Messages, DateTimeOffset At)> _similar = [];
    private byte _serial;

    public byte Next() => _serial++;

    /// <summary>A reason that comes with ever new words (the generated name of each pod that could not be made) must not flood the list of events.</summary>
    public EventNews Combine(EventNews news)
    {
        if (_similar.Count >= Remembered)
            _similar.Clear();
        var key = (news.Regarding.Uid ?? news.Regarding.Name ?? "", news.Type, news.Reason);
        if (!_similar.TryGetValue(key, out var similar) || news.At - similar.At > Window)
            similar = ([], news.At);
        if (similar.Messages.Count < Different)
            similar.Messages.Add(news.Message);
        _similar[key] = (similar.Messages, news.At);
        return similar.Messages.Count < Different ? news : news with { IsCombined = true, Message = "(combined from similar events): " + news.Message };
    }

    public EventDecision Decide(EventNews news)
    {
        if (!Spend(news))
            return new EventDecision.TooMany();
        if (!_said.TryGetValue(IdentityOf(news), out var earlier))
            return new EventDecision.Create();
        _said[IdentityOf(news)] = earlier with { Count = earlier.Count + 1 };
        return new EventDecision.Again(earlier.Key, earlier.Count + 1);
    }

    public void Wrote(EventNews news, ObjectKey key)
    {
        if (_said.Count >= Remembered)
            _said.Clear(); // the price is a few events that start to count at one again
        _said[IdentityOf(news)] = (key, 1);
    }

    private bool Spend(EventNews news)
    {
        if (_budget.Count >= Remembered)
            _budget.Clear();
        var uid = news.Regarding.Uid ?? news.Regarding.Name ?? "";
        var (tokens, at) = _budget.GetValueOrDefault(uid, (Burst, news.At));
        tokens = Math.Min(Burst, tokens + ((news.At - at) / Refill));
        var allowed = tokens >= 1;
        _budget[uid] = (allowed ? tokens - 1 : tokens, news.At);
        return allowed;
    }

    private static (string, string, string, string) IdentityOf(EventNews news) =>
        (news.Regarding.Uid ?? news.Regarding.Name ?? "", news.Type, news.Reason, news.IsCombined ? "" : news.Message);
}
