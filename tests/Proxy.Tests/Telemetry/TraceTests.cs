using System.Text;
using Weft.Balancing;
using Weft.Proxy.Http;
using Weft.Proxy.Telemetry.Tracing;

namespace Weft.Proxy.Tests.Telemetry;

public sealed class TraceTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Span = "00f067aa0ba902b7";

    [Theory]
    [InlineData($"00-{Trace}-{Span}-01", true)]
    [InlineData($"00-{Trace}-{Span}-00", false)]
    [InlineData($"cc-{Trace}-{Span}-01-what-the-future-brings", true)]
    public void A_traceparent_is_read(string value, bool sampled)
    {
        Assert.True(W3CTrace.TryRead(Encoding.ASCII.GetBytes(value), out var context));
        Assert.Equal(UInt128.Parse(Trace, System.Globalization.NumberStyles.HexNumber), context.TraceId);
        Assert.Equal(0x00f067aa0ba902b7UL, context.SpanId);
        Assert.Equal(sampled, context.Sampled);
    }

    [Theory]
    [InlineData("")]
    [InlineData($"ff-{Trace}-{Span}-01")]
    [InlineData($"00-{Trace}-{Span}-01-more")]
    [InlineData($"cc-{Trace}-{Span}-01more")]
    [InlineData($"00-00000000000000000000000000000000-{Span}-01")]
    [InlineData($"00-{Trace}-0000000000000000-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01")]
    [InlineData($"00-{Trace}-{Span}-0")]
    [InlineData($"00_{Trace}_{Span}_01")]
    public void An_invalid_traceparent_begins_a_new_trace(string value) => Assert.False(W3CTrace.TryRead(Encoding.ASCII.GetBytes(value), out _));

    [Fact]
    public void What_is_written_is_read_again()
    {
        var context = new TraceContext(UInt128.MaxValue >> 3, 0x0123_4567_89AB_CDEF, true);
        var text = new byte[W3CTrace.Length];
        W3CTrace.Write(context, text);
        Assert.True(W3CTrace.TryRead(text, out var w3c));
        Assert.Equal(context, w3c);
        B3Trace.WriteSingle(context, text);
        Assert.True(B3Trace.TryReadSingle(text.AsSpan(0, B3Trace.SingleLength), out var b3));
        Assert.Equal(context, b3);
    }

    [Theory]
    [InlineData($"{Trace}-{Span}-1", true, true)]
    [InlineData($"{Trace}-{Span}-d-05e3ac9a4f6e3b90", true, true)]
    [InlineData($"a3ce929d0e0e4736-{Span}-0", true, false)]
    [InlineData($"{Trace}-{Span}", true, null)]
    [InlineData("0", false, false)]
    public void A_single_b3_field_is_read(string value, bool ids, bool? sampled)
    {
        Assert.True(B3Trace.TryReadSingle(Encoding.ASCII.GetBytes(value), out var context));
        Assert.Equal(ids, !context.IsEmpty);
        Assert.Equal(sampled, context.Sampled);
    }

    [Fact]
    public void Several_b3_fields_are_read()
    {
        var headers = new HeaderList();
        headers.Add("X-B3-TraceId"u8, Encoding.ASCII.GetBytes(Trace));
        headers.Add("X-B3-SpanId"u8, Encoding.ASCII.GetBytes(Span));
        headers.Add("X-B3-Sampled"u8, "1"u8);

        Assert.True(B3Trace.TryRead(headers, out var context));
        Assert.Equal(0x00f067aa0ba902b7UL, context.SpanId);
        Assert.True(context.Sampled);
    }

    [Fact]
    public void A_proxy_is_a_span_of_the_senders_trace()
    {
        var headers = new HeaderList();
        headers.Add("traceparent"u8, Encoding.ASCII.GetBytes($"00-{Trace}-{Span}-01"));
        headers.Add("tracestate"u8, "vendor=1"u8);
        headers.Add("b3"u8, "0"u8);
        var rng = new Rng(1);
        var settings = new TracingSettings(SampledPerMillion: 0);

        var span = Tracer.Begin(headers, settings, ref rng);
        Tracer.Propagate(span.Context, span.Begun, headers, settings);

        Assert.Equal(0x00f067aa0ba902b7UL, span.Parent);
        Assert.True(span.Context.Sampled);
        Assert.StartsWith($"00-{Trace}-", Value(headers, "traceparent"), StringComparison.Ordinal);
        Assert.DoesNotContain(Span, Value(headers, "traceparent"), StringComparison.Ordinal);
        Assert.StartsWith($"{Trace}-", Value(headers, "b3"), StringComparison.Ordinal);
        Assert.Equal("vendor=1", Value(headers, "tracestate"));
        Assert.Equal(3, headers.Count);
    }

    [Fact]
    public void A_new_trace_takes_no_state_of_another_and_samples_by_share()
    {
        var rng = new Rng(7);
        var settings = new TracingSettings(SampledPerMillion: 250_000);
        var sampled = 0;
        for (var i = 0; i < 4000; i++)
        {
            var headers = new HeaderList();
            headers.Add("tracestate"u8, "vendor=1"u8);
            var span = Tracer.Begin(headers, settings, ref rng);
            Tracer.Propagate(span.Context, span.Begun, headers, settings);
            Assert.True(span.Begun);
            Assert.False(headers.Has(KnownHeader.Tracestate));
            sampled += span.Context.Sampled == true ? 1 : 0;
        }

        // 1,000 expected, 27 the standard deviation.
        Assert.InRange(sampled, 850, 1150);
    }

    [Fact]
    public void A_strangers_decision_counts_only_where_it_is_trusted()
    {
        var headers = new HeaderList();
        headers.Add("traceparent"u8, Encoding.ASCII.GetBytes($"00-{Trace}-{Span}-01"));
        var rng = new Rng(1);

        Assert.False(Tracer.Begin(headers, new TracingSettings(SampledPerMillion: 0, TrustDecision: false), ref rng).Context.Sampled);
    }

    private static string Value(HeaderList headers, string name) => Encoding.ASCII.GetString(headers.Value(headers.IndexOf(Encoding.ASCII.GetBytes(name))));
}
