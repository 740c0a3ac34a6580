using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Tables;

/// <summary>The columns that `kubectl get` shows for each built-in kind.</summary>
public static class Columns
{
    public static IReadOnlyList<TableColumn> For(GroupVersionKind kind) =>
    [
        .. (kind.Group, kind.Kind) switch
        {
            ("", "Pod") => WorkloadColumns.Pod(),
            ("apps", "Deployment") => WorkloadColumns.Deployment(),
            ("apps", "ReplicaSet") => WorkloadColumns.ReplicaSet(),
            ("apps", "ControllerRevision") => WorkloadColumns.ControllerRevision(),
            ("apps", "StatefulSet") => WorkloadColumns.StatefulSet(),
            ("apps", "DaemonSet") => WorkloadColumns.DaemonSet(),
            ("", "ReplicationController") => WorkloadColumns.ReplicationController(),
            ("batch", "Job") => BatchColumns.Job(),
            ("batch", "CronJob") => BatchColumns.CronJob(),
            ("policy", "PodDisruptionBudget") => BatchColumns.DisruptionBudget(),
            ("autoscaling", "HorizontalPodAutoscaler") => AutoscalingColumns.HorizontalPodAutoscaler(kind.Version),
            ("metrics.k8s.io", _) => AutoscalingColumns.Usage(),
            ("", "ResourceQuota") => QuotaColumns.ResourceQuota(),
            ("", "LimitRange") => [ColumnList.NameColumn, ColumnList.CreatedColumn],
            ("", "PersistentVolume") => StorageColumns.PersistentVolume(),
            ("", "PersistentVolumeClaim") => StorageColumns.PersistentVolumeClaim(),
            ("storage.k8s.io", "StorageClass") => StorageColumns.StorageClass(),
            ("networking.k8s.io", "NetworkPolicy") => PolicyColumns.NetworkPolicy(),
            ("networking.k8s.io", "Ingress") => PolicyColumns.Ingress(),
            ("networking.k8s.io", "IngressClass") => PolicyColumns.IngressClass(),
            ("", "Service") => NetworkColumns.Service(),
            ("", "Endpoints") => NetworkColumns.Endpoints(),
            ("discovery.k8s.io", "EndpointSlice") => NetworkColumns.EndpointSlice(),
            ("", "Node") => ClusterColumns.Node(),
            ("", "Namespace") => ClusterColumns.Namespace(),
            ("" or "events.k8s.io", "Event") => ClusterColumns.Event(),
            ("coordination.k8s.io", "Lease") => ClusterColumns.Lease(),
            ("scheduling.k8s.io", "PriorityClass") => ClusterColumns.PriorityClass(),
            ("node.k8s.io", "RuntimeClass") => ClusterColumns.RuntimeClass(),
            ("", "ConfigMap") => ConfigColumns.ConfigMap(),
            ("", "Secret") => ConfigColumns.Secret(),
            ("", "ServiceAccount") => ConfigColumns.ServiceAccount(),
            ("rbac.authorization.k8s.io", "RoleBinding" or "ClusterRoleBinding") => ConfigColumns.Binding(),
            ("rbac.authorization.k8s.io", "Role" or "ClusterRole") or ("apiextensions.k8s.io", "CustomResourceDefinition")
                => [ColumnList.NameColumn, ColumnList.CreatedColumn],
            _ => [ColumnList.NameColumn, ColumnList.AgeColumn],
        },
    ];
}
