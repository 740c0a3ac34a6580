using System.Buffers.Text;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;
using Weft.Proxy.Rates;

namespace Weft.Proxy.Filters.RateLimits;

internal sealed class LocalRateLimitFilter : RequestFilter
{
    private readonly RateLimitFilter _config;
    private readonly BucketRate _rate;
    private readonly TokenBucket _only = new();
    private readonly BucketKey? _key;
    private readonly BucketTable? _table;
    private readonly byte[] _limit;

    public LocalRateLimitFilter(RateLimitFilter config)
    {
        _config = config;
        _rate = BucketRate.Of(config.Requests, config.Per, config.Burst);
        if (!config.Keys.IsEmpty)
            (_key, _table) = (new(config.Keys), new(config.MaxKeys));
        _limit = Encoding.ASCII.GetBytes($"{(config.Burst == 0 ? config.Requests : config.Burst)}");
    }

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        var now = context.Host.Now;
        var bucket = _table?.Get(_key!.Write(context), now) ?? _only;
        // The bucket stays known for the answer's fields.
        context.State = _config.Headers ? bucket : null;
        if (bucket.TryTake(_rate, now))
            return FilterVerdict.Continue;
        if (_config.DryRun)
        {
            context.Findings.Add(new("dry-run-limit", _config.Name, -1));
            return FilterVerdict.Continue;
        }

        context.Policy = _config.Name;
        context.Respond(_config.Status, "rate_limited", "too many requests\n");
        AddSeconds(context.Reply.Head.Headers, "retry-after"u8, bucket.Wait(_rate, now));
        return FilterVerdict.Respond;
    }

    public override void OnResponse(ExchangeContext context)
    {
        if (context.State is not TokenBucket bucket)
            return;
        var now = context.Host.Now;
        var headers = context.Response.Headers;
        Span<byte> digits = stackalloc byte[11];
        headers.Set("x-ratelimit-limit"u8, _limit);
        Utf8Formatter.TryFormat(bucket.Remaining(_rate, now), digits, out var length);
        headers.Set("x-ratelimit-remaining"u8, digits[..length]);
        headers.Remove("x-ratelimit-reset"u8);
        AddSeconds(headers, "x-ratelimit-reset"u8, bucket.Reset(now));
    }

    // Whole seconds, rounded up: who comes back then must not be too early.
    private static void AddSeconds(HeaderList headers, ReadOnlySpan<byte> name, TimeSpan time)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat((long)Math.Ceiling(time.TotalSeconds), digits, out var length);
        headers.Add(name, digits[..length]);
    }
}
