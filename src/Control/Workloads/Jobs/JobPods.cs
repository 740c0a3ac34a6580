using System.Globalization;
using Weft.Api;
using Weft.Api.Batch;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>The pods of a job.</summary>
internal static class JobPods
{
    public const string Finalizer = "batch.kubernetes.io/job-tracking";
    public const string IndexName = "batch.kubernetes.io/job-completion-index";
    private const string IndexVariable = "JOB_COMPLETION_INDEX";

    public static Pod New(Job job, int? index)
    {
        var name = job.Metadata.Name ?? "";
        var pod = PodTemplates.NewPod(job.Spec.Template, name, job.AsController());
        pod = pod with { Metadata = pod.Metadata with { Namespace = job.Metadata.Namespace, Finalizers = [.. pod.Metadata.Finalizers.Where(one => one != Finalizer), Finalizer] } };
        if (index is not { } number)
            return pod;
        var text = number.ToString(CultureInfo.InvariantCulture);
        return pod with
        {
            Metadata = pod.Metadata with
            {
                GenerateName = $"{name}-{text}-",
                Labels = new Dictionary<string, string>(pod.Metadata.Labels) { [IndexName] = text },
                Annotations = new Dictionary<string, string>(pod.Metadata.Annotations) { [IndexName] = text },
            },
            Spec = pod.Spec with
            {
                Hostname = $"{name}-{text}",
                InitContainers = [.. pod.Spec.InitContainers.Select(WithIndex)],
                Containers = [.. pod.Spec.Containers.Select(WithIndex)],
            },
        };
    }

    /// <summary>-1 for a pod without one.</summary>
    public static int IndexOf(Pod pod) => int.TryParse(pod.Annotation(IndexName), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;

    public static bool IsTracked(Pod pod) => pod.Metadata.Finalizers.Contains(Finalizer);

    private static Container WithIndex(Container container) => container.Env.Any(variable => variable.Name == IndexVariable)
        ? container
        : container with
        {
            Env =
            [
                .. container.Env,
                new EnvVar { Name = IndexVariable, ValueFrom = new EnvVarSource { FieldRef = new ObjectFieldSelector { FieldPath = $"metadata.annotations['{IndexName}']" } } },
            ],
        };
}
