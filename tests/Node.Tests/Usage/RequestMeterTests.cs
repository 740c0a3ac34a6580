using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Usage;
using Weft.Testing;

namespace Weft.Node.Tests.Usage;

public sealed class RequestMeterTests
{
    private readonly ManualTime _time = new();
    private Func<IReadOnlyDictionary<string, long>> _totals = () => new Dictionary<string, long>();

    private RequestMeter Meter() => new(_ => Task.FromResult(_totals()), _time, NullLogger<RequestMeter>.Instance);

    private async Task<IReadOnlyDictionary<string, long>?> LookAsync(RequestMeter meter, params (string Address, long Total)[] totals)
    {
        _totals = () => totals.ToDictionary(pair => pair.Address, pair => pair.Total);
        _time.Advance(TimeSpan.FromSeconds(10));
        await meter.LookAsync(CancellationToken.None);
        return meter.Current?.MilliPerSecond;
    }

    [Fact]
    public async Task Rates_are_the_difference_of_the_last_two_answers()
    {
        var meter = Meter();
        Assert.Null(await LookAsync(meter, ("a", 1000), ("b", 5)));
        Assert.Equal(new Dictionary<string, long> { ["a"] = 2500, ["c"] = 100 }, await LookAsync(meter, ("a", 1025), ("b", 5), ("c", 1)));
        Assert.Equal((TimeSpan.FromSeconds(10), _time.GetUtcNow()), (meter.Current!.Window, meter.Current.At));
        // The proxy, or what it knows of the address, began anew.
        Assert.Equal(new Dictionary<string, long> { ["a"] = 400 }, await LookAsync(meter, ("a", 4)));
    }

    [Fact]
    public async Task What_is_not_told_is_not_known_and_old_figures_are_not_kept()
    {
        var meter = Meter();
        await LookAsync(meter, ("a", 1));
        Assert.NotNull(await LookAsync(meter, ("a", 2)));
        foreach (var away in (Exception[])[new IOException("gone"), new TimeoutException("slow")])
        {
            _totals = () => throw away;
            await meter.LookAsync(CancellationToken.None);
            Assert.Null(meter.Current);
        }

        Assert.Null(await LookAsync(meter, ("a", 100)));
        Assert.Equal(100, (await LookAsync(meter, ("a", 101)))!["a"]);
    }
}
