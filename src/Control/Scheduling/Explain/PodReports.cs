using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Explain;

/// <summary>Tells people what the scheduler did: the PodScheduled condition and events.</summary>
internal sealed class PodReports(KubeClient client, TimeProvider time, Random random)
{
    private const string Component = SchedulingProfile.DefaultName;

    // The API server's limit for a condition's message is 32 KB and for an event's 1 KB.
    private const int MaxEventMessage = 1024;

    public Task ScheduledAsync(PodInfo pod, string node, CancellationToken cancellationToken) =>
        EventAsync(pod, "Normal", "Scheduled", $"Successfully assigned {pod.Key} to {node}", "Binding", cancellationToken);

    /// <summary>The event of a pod that makes room for another.</summary>
    public Task PreemptedAsync(PodInfo victim, PodInfo pod, string node, CancellationToken cancellationToken) =>
        EventAsync(victim, "Normal", "Preempted", $"Preempted by pod {pod.Uid} on node {node}", "Preempting", cancellationToken);

    /// <summary>Writes only what is new: a pod that waits for an hour for the same reason is not written again and again.</summary>
    public async Task UnschedulableAsync(PodInfo pod, string reason, string message, CancellationToken cancellationToken)
    {
        var current = pod.Pod.Status.Conditions.FirstOrDefault(one => one.Type == "PodScheduled");
        if (current is { Status: "False" } && current.Reason == reason && current.Message == message)
            return;

        var condition = new JsonObject
        {
            ["type"] = "PodScheduled", ["status"] = "False", ["reason"] = reason, ["message"] = message, ["lastProbeTime"] = null,
        };
        if (current?.Status != "False")
            condition["lastTransitionTime"] = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pod.Pod.Metadata.Uid },
            ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) },
        };
        await client.For<Pod>().PatchStatusAsync(pod.Key, Patch.Strategic(patch), cancellationToken);
        // A gate is somebody's intention, no failure: the condition says it.
        if (reason == "Unschedulable")
            await EventAsync(pod, "Warning", "FailedScheduling", message, "Scheduling", cancellationToken);
    }

    private async Task EventAsync(PodInfo pod, string type, string reason, string message, string action, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        int suffix;
        lock (random)
            suffix = random.Next(0x10000);
        var value = new Event
        {
            Metadata = new ObjectMeta { Name = $"{pod.Key.Name}.{now.UtcTicks:x}{suffix:x4}", Namespace = pod.Key.Namespace },
            InvolvedObject = new ObjectReference
            {
                ApiVersion = "v1", Kind = "Pod", Namespace = pod.Key.Namespace, Name = pod.Key.Name,
                Uid = pod.Pod.Metadata.Uid, ResourceVersion = pod.Pod.Metadata.ResourceVersion,
            },
            Type = type,
            Reason = reason,
            Message = message.Length <= MaxEventMessage ? message : message[..(MaxEventMessage - 3)] + "...",
            Action = action,
            Source = new EventSource { Component = Component },
            ReportingComponent = Component,
            ReportingInstance = Component,
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
        await client.For<Event>().CreateAsync(pod.Key.Namespace, value, cancellationToken);
    }
}
