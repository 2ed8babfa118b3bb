using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>A cluster that is as it is wanted.</summary>
/// <param name="Plan">What was wanted.</param>
/// <param name="Cluster">How it is reached, and what had to be done.</param>
/// <param name="Readiness">As its API server told it last.</param>
internal sealed record ConvergedCluster(KindPlan Plan, ProvidedCluster Cluster, ClusterReadiness Readiness);
