using Weft.Node.Pressure;
using Weft.Node.Tests.Pods;

namespace Weft.Node.Tests.Pressure;

public sealed class EvictionPlannerTests
{
    private const long Mi = 1024 * 1024;

    private static readonly Room Plenty = new(1000 * Mi, 500 * Mi);
    private static readonly Room Little = new(1000 * Mi, 40 * Mi);

    private static PodUse Use(string uid, long memory = 0, long disk = 0, long processes = 0, int? priority = null, string? request = null) => new(
        World.Pod($$"""
            {"containers":[{"name":"a"{{(request is null ? "" : $",\"resources\":{{\"requests\":{{\"memory\":\"{request}\"}}}}")}}}]{{(priority is null ? "" : $",\"priority\":{priority}")}}}
            """, $$"""{"uid":"{{uid}}"}"""),
        memory, disk, processes);

    private static PressurePlan Plan(Dictionary<Signal, Room> rooms, params PodUse[] pods) => EvictionPlanner.Plan(rooms, PressureState.Begin, pods, imagesFreed: true, World.Now);

    [Fact]
    public void With_room_nothing_happens()
    {
        var plan = Plan(new() { [Signal.Memory] = Plenty, [Signal.NodeDisk] = Plenty }, Use("a", 400 * Mi));

        Assert.Equal((NodePressure.None, false, null), (plan.Pressure, plan.FreeImages, plan.Evict));
    }

    [Fact]
    public void Who_takes_more_than_it_asked_for_goes_first_then_who_matters_least_then_who_takes_most()
    {
        PodUse[] pods =
        [
            Use("within", 900 * Mi, request: "1Gi", priority: -10), Use("much", 300 * Mi), Use("little", 10 * Mi), Use("important", 500 * Mi, priority: 100),
            Use("critical", 900 * Mi, priority: 2_000_000_001),
        ];

        Assert.Equal(["much", "little", "important", "within"], EvictionPlanner.Rank(Signal.Memory, pods).Select(p => p.Pod.Metadata.Uid));
        Assert.Equal("much", Plan(new() { [Signal.Memory] = Little }, pods).Evict!.PodUid);
    }

    [Fact]
    public void The_message_says_what_was_short_and_what_the_pod_took() => Assert.Equal(
        "The node was low on resource: memory. Threshold quantity: 102400Ki, available: 40960Ki. The pod was using 307200Ki, request is 1024Ki.",
        Plan(new() { [Signal.Memory] = Little }, Use("a", 300 * Mi, request: "1Mi")).Evict!.Message);

    [Fact]
    public void A_short_disk_first_costs_unused_images_and_then_the_pod_that_fills_it()
    {
        var rooms = new Dictionary<Signal, Room> { [Signal.NodeDisk] = new(1000 * Mi, 40 * Mi) };
        PodUse[] pods = [Use("small", 900 * Mi, disk: 1), Use("large", disk: 100 * Mi)];

        var first = EvictionPlanner.Plan(rooms, PressureState.Begin, pods, imagesFreed: false, World.Now);
        Assert.Equal((true, null, true), (first.FreeImages, first.Evict, first.Pressure.Disk));

        Assert.Equal("large", Plan(rooms, pods).Evict!.PodUid);
    }

    [Fact]
    public void Too_many_processes_cost_the_pod_that_has_most() =>
        Assert.Equal("bomb", Plan(new() { [Signal.Processes] = new(32768, 100) }, Use("calm", processes: 3), Use("bomb", processes: 30000)).Evict!.PodUid);

    [Fact]
    public void A_condition_stays_for_five_minutes_after_the_last_shortage()
    {
        var state = Plan(new() { [Signal.Memory] = Little }).State;
        var rooms = new Dictionary<Signal, Room> { [Signal.Memory] = Plenty };

        Assert.True(EvictionPlanner.Plan(rooms, state, [], true, World.Now.AddMinutes(4)).Pressure.Memory);
        Assert.False(EvictionPlanner.Plan(rooms, state, [], true, World.Now.AddMinutes(5)).Pressure.Memory);
    }

    [Fact]
    public void Critical_ending_and_ended_pods_are_left_alone()
    {
        var ended = Use("ended", 900 * Mi) with { Pod = World.Pod("""{"containers":[]}""", status: new() { Phase = "Failed" }) };
        var mirror = Use("mirror", 900 * Mi) with { Pod = World.Pod("""{"containers":[]}""", """{"annotations":{"kubernetes.io/config.mirror":"x"}}""") };
        var ending = Use("ending", 900 * Mi) with { Pod = World.Pod("""{"containers":[]}""", """{"deletionTimestamp":"2026-05-01T12:00:00Z"}""") };

        Assert.Null(Plan(new() { [Signal.Memory] = Little }, ended, mirror, ending, Use("critical", 900 * Mi, priority: 2_000_000_000)).Evict);
    }

    [Fact]
    public void The_machines_own_figures_are_read()
    {
        Assert.Equal(new Room(2048, 1024), MachineRoom.Memory(["MemTotal:       2 kB", "MemFree: 0 kB", "MemAvailable:   1 kB"]));
        Assert.Equal(new Room(32768, 32668), MachineRoom.Processes("32768\n", "0.1 0.2 0.3 1/100 4711\n"));
        var rooms = MachineRoom.Read(Path.GetTempPath(), "/absent");
        Assert.True(rooms[Signal.NodeDisk] is { Available: > 0 } disk && disk.Capacity >= disk.Available);
        Assert.True(rooms[Signal.Memory].Available > 0);
        Assert.DoesNotContain(Signal.ImageDisk, rooms.Keys);
    }
}
