using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;
using Weft.Control.Tests.Cluster;
using Weft.Testing;

namespace Weft.Control.Tests.Runtime;

public class EventRecorderTests
{
    private static EventNews News(string message, int seconds = 0, string uid = "u") =>
        new(new ObjectReference { Uid = uid }, "Normal", "Reason", message, Make.Now.AddSeconds(seconds));

    [Fact]
    public void The_same_news_is_counted_and_one_object_may_not_flood()
    {
        var memory = new EventMemory();
        Assert.IsType<EventDecision.Create>(memory.Decide(News("a")));
        memory.Wrote(News("a"), new ObjectKey("default", "e"));
        Assert.Equal(new EventDecision.Again(new ObjectKey("default", "e"), 2), memory.Decide(News("a", 1)));
        Assert.Equal(new EventDecision.Again(new ObjectKey("default", "e"), 3), memory.Decide(News("a", 2)));

        for (var i = 0; i < 30; i++)
            memory.Decide(News($"m{i}", 3));
        Assert.IsType<EventDecision.TooMany>(memory.Decide(News("one more", 4)));
        Assert.IsType<EventDecision.Create>(memory.Decide(News("somebody else", 4, uid: "v")));
        Assert.IsType<EventDecision.Create>(memory.Decide(News("later", 400)));
    }

    [Fact]
    public void A_reason_with_ever_new_words_becomes_one_event()
    {
        var memory = new EventMemory();
        var said = Enumerable.Range(0, 12).Select(number => memory.Combine(News($"pod web-{number} is refused", number))).ToList();

        Assert.Equal("pod web-8 is refused", said[8].Message);
        Assert.Equal("(combined from similar events): pod web-11 is refused", said[11].Message);
        memory.Wrote(said[10], new ObjectKey("default", "e"));
        Assert.Equal(new EventDecision.Again(new ObjectKey("default", "e"), 2), memory.Decide(said[11]));
        Assert.Equal("pod web-12 is refused", memory.Combine(News("pod web-12 is refused", 3600)).Message);
    }

    [Fact]
    public async Task Events_reach_the_server_and_repeat_by_number()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var recorder = new EventRecorder(cluster.Client, "tester", TimeProvider.System, NullLogger.Instance);
        var pod = Make.Pod("p");
        recorder.Warning(pod, "BackOff", "again");
        recorder.Warning(pod, "BackOff", "again");
        recorder.Warning(pod, "BackOff", "again");
        recorder.Normal(new Node { Metadata = new ObjectMeta { Name = "n", Uid = "n" } }, "Ready", "of a cluster-scoped object");
        await Eventually.TrueAsync(async () =>
        {
            var events = (await cluster.Client.For<Event>().ListAsync("default", CancellationToken.None)).Items.Where(e => e.Source?.Component == "tester").ToList();
            return events.Count == 2 && events.Any(e => e is { Count: 3, Type: "Warning", Reason: "BackOff", InvolvedObject.Kind: "Pod" })
                && events.Any(e => e is { Count: 1, InvolvedObject: { Kind: "Node", Name: "n" } });
        });
    }
}
