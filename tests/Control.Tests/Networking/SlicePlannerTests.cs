using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Control.Networking;
using EndpointPort = Weft.Api.Discovery.EndpointPort;

namespace Weft.Control.Tests.Networking;

public class SlicePlannerTests
{
    private static readonly SliceFrame Frame = new("shop", new Dictionary<string, string> { ["kubernetes.io/service-name"] = "shop" }, new OwnerReference { Kind = "Service", Name = "shop", Uid = "u" });
    private static readonly EndpointPort Http = new() { Name = "http", Port = 80, Protocol = "TCP" };

    private static Endpoint Endpoint(int number, bool ready = true) => new()
    {
        Addresses = [string.Create(CultureInfo.InvariantCulture, $"10.0.{number / 250}.{number % 250}")],
        Conditions = new EndpointConditions { Ready = ready },
    };

    private static SliceGroup Group(IEnumerable<int> numbers, EndpointPort? port = null) => new("IPv4", [port ?? Http], [.. numbers.Select(number => Endpoint(number))]);

    /// <summary>Slices on which plans are carried out.</summary>
    private sealed class Slices
    {
        private readonly Dictionary<string, EndpointSlice> _all = [];
        private int _next;

        public IReadOnlyList<EndpointSlice> All => [.. _all.Values];

        public int[] Sizes => [.. _all.Values.Select(slice => slice.Endpoints.Count).OrderDescending()];

        public IEnumerable<string> Addresses => _all.Values.SelectMany(slice => slice.Endpoints).Select(endpoint => endpoint.Addresses[0]).Order();

        public IReadOnlyList<SliceStep> Apply(params SliceGroup[] groups)
        {
            var steps = SlicePlanner.Plan(Frame, groups, All);
            foreach (var step in steps)
            {
                switch (step)
                {
                    case SliceStep.Create create:
                        var name = string.Create(CultureInfo.InvariantCulture, $"shop-{++_next:000}");
                        _all[name] = create.Slice with { Metadata = create.Slice.Metadata with { Name = name } };
                        break;
                    case SliceStep.Update update:
                        _all[update.Old.Metadata.Name!] = update.New;
                        break;
                    case SliceStep.Delete delete:
                        _all.Remove(delete.Slice.Metadata.Name!);
                        break;
                    default:
                        throw new InvalidOperationException();
                }
            }

            return steps;
        }
    }

    [Fact]
    public void Endpoints_fill_slices_of_a_hundred_and_one_change_writes_one_slice()
    {
        var slices = new Slices();
        slices.Apply(Group(Enumerable.Range(0, 250)));
        Assert.Equal([100, 100, 50], slices.Sizes);

        Assert.IsType<SliceStep.Update>(Assert.Single(slices.Apply(Group(Enumerable.Range(0, 251)))));
        Assert.IsType<SliceStep.Update>(Assert.Single(slices.Apply(Group(Enumerable.Range(1, 250)))));
        Assert.Empty(slices.Apply(Group(Enumerable.Range(1, 250))));
        slices.Apply(Group(Enumerable.Range(0, 20)));
        Assert.Equal([20], slices.Sizes);
    }

    [Fact]
    public void No_endpoints_leave_one_empty_slice_and_other_ports_have_slices_of_their_own()
    {
        var slices = new Slices();
        slices.Apply(new SliceGroup("IPv4", [], []));
        Assert.Equal([0], slices.Sizes);
        Assert.Empty(slices.Apply(new SliceGroup("IPv4", [], [])));
        slices.Apply(Group([1, 2]), Group([3], Http with { Port = 8080 }));
        Assert.Equal([2, 1], slices.Sizes);
        slices.Apply(Group([]));
        Assert.Equal([0], slices.Sizes);
    }

    [Fact]
    public void Whatever_came_before_the_slices_hold_exactly_what_is_wanted_and_are_then_left_alone() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<byte>().ListOf().ListOf().ToArbitrary(),
        rounds =>
        {
            var slices = new Slices();
            foreach (var round in rounds)
            {
                // A few hundred endpoints, chosen by stretches, so that slices fill, split and empty.
                var numbers = round.SelectMany(b => Enumerable.Range(b * 3, 40)).Distinct().ToList();
                var group = Group(numbers);
                slices.Apply(group);
                Assert.Equal(group.Endpoints.Select(endpoint => endpoint.Addresses[0]).Order(), slices.Addresses);
                Assert.All(slices.Sizes, size => Assert.InRange(size, 0, 100));
                Assert.True(slices.Sizes.Length >= 1);
                Assert.Empty(slices.Apply(group));
            }
        }).QuickCheckThrowOnFailure();
}
