using Weft.Balancing;
using Weft.Proxy.Filters;
using Weft.Proxy.Http;

namespace Weft.Proxy.Tests.Filters;

/// <summary>The engine's side of the seam: time that a test moves, questions that a test answers.</summary>
internal sealed class TestHost : IExchangeHost
{
    private Rng _rng = new(1);

    public long Now { get; set; } = 1_000_000_000_000;

    public DateTimeOffset Time => DateTimeOffset.UnixEpoch.AddMicroseconds(Now / 1000.0);

    public ref Rng Rng => ref _rng;

    public int Resumed { get; private set; }

    public TimeSpan? Delay { get; private set; }

    public TestQuestion? Question { get; private set; }

    public long Ticket => 1;

    public void Resume(long ticket) => Resumed++;

    public void ResumeAfter(TimeSpan delay) => Delay = delay;

    public IAsideQuestion Ask(string cluster, RequestHead question, TimeSpan timeout, IAsideHandler handler, ReadOnlyMemory<byte> grpc = default)
        => Question = new(cluster, question, timeout, handler);

    public static ExchangeContext Context(string method, string authority, string target, params (string Name, string Value)[] headers)
    {
        var context = new ExchangeContext(new TestHost());
        context.Facts.Connection = Routing.Ask.Connection;
        context.Facts.ClientAddress = Routing.Ask.Connection.Source.Address;
        Routing.Ask.Fill(context.Facts, method, authority, target, headers);
        return context;
    }

    public static TestHost Of(ExchangeContext context) => (TestHost)context.Host;

    public static string? Header(HeaderList headers, string name)
    {
        var all = new List<string>();
        for (var i = 0; i < headers.Count; i++)
        {
            if (Routing.Ask.Text(headers.Name(i)) == name)
                all.Add(Routing.Ask.Text(headers.Value(i)));
        }

        return all.Count == 0 ? null : string.Join('|', all);
    }
}

internal sealed record TestQuestion(string Cluster, RequestHead Head, TimeSpan Timeout, IAsideHandler Handler) : IAsideQuestion
{
    public bool Cancelled { get; private set; }

    public void Cancel() => Cancelled = true;
}
