namespace MeshTrust.Kind;

/// <summary>The action for one cluster.</summary>
internal enum KindAction
{
    Create,
    Keep,
    Start,

    /// <summary>Created by MeshTrust, but differs from the topology: it stays unless the user passes --force.</summary>
    Differs,

    /// <summary>MeshTrust did not create it from this work directory: it is not touched unless the user passes --adopt.</summary>
    Foreign,

    /// <summary>Created by MeshTrust but incomplete: a run ended early, or its control planes are gone. It is recreated.</summary>
    HalfMade,
}

/// <summary>Whether MeshTrust created the nodes of a kind cluster.</summary>
internal static class KindOwnership
{
    /// <summary>The clock of an engine in a virtual machine may lag a little.</summary>
    private static readonly TimeSpan Drift = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Why MeshTrust did not create a cluster, as a sentence; null if it did. One known node is enough to keep and start it. Removing it
    /// requires every node to be known, or, if it was never completed, to be newer than the attempt to create it.
    /// </summary>
    public static string? WhyForeign(KindState? state, IReadOnlyList<EngineContainer> nodes, bool toRemove)
    {
        if (state is null)
            return "Another program created it, or MeshTrust from another work directory.";
        if (state.Phase == KindPhase.Creating)
        {
            var older = nodes.Where(node => node.Created < state.Started - Drift).ToList();
            return older.Count == 0 ? null
                : $"{Names(older)} {(older.Count == 1 ? "is" : "are")} older than MeshTrust's attempt to create this cluster.";
        }

        var strangers = nodes.Where(node => !state.Nodes.Values.Contains(node.Id, StringComparer.Ordinal)).ToList();
        return strangers.Count == 0 || (!toRemove && strangers.Count < nodes.Count) ? null
            : $"{Names(strangers)} {(strangers.Count == 1 ? "was" : "were")} recreated since MeshTrust created this cluster.";
    }

    private static string Names(List<EngineContainer> nodes) => string.Join(", ", nodes.Select(node => node.Name));
}

/// <summary>The action for one cluster, and why.</summary>
internal sealed record KindVerdict
{
    // Docker omits it from the name of an image, Podman does not.
    private const string Hub = "docker.io/";

    private KindVerdict() { }

    public required KindPlan Plan { get; init; }
    public required KindAction Action { get; init; }

    /// <summary>How an existing cluster differs; for a foreign one, as far as its containers show. Empty if it matches.</summary>
    public IReadOnlyList<KindDifference> Differences { get; init; } = [];
    public IReadOnlyList<string> Stopped { get; init; } = [];

    /// <summary>Why it is created, incomplete or foreign, as a sentence; empty if there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>
    /// Whether the action creates the cluster, after removing what exists: it is missing, incomplete, or differs and may be replaced.
    /// </summary>
    public bool Creates => Action is KindAction.Create or KindAction.HalfMade || Differences.Count > 0;

    /// <summary>Decides about one cluster. The state is this work directory's record of what was created; null for none.</summary>
    public static KindVerdict Of(KindPlan plan, EngineSnapshot snapshot, KindState? state)
    {
        var nodes = snapshot.NodesOf(plan.Cluster.Value);
        var stopped = nodes.Where(n => !n.IsRunning).Select(n => n.Name).ToList();
        if (nodes.Count == 0) return New(KindAction.Create, state?.Phase == KindPhase.Ready ? "Its containers are gone." : "");
        if (state is null || KindOwnership.WhyForeign(state, nodes, toRemove: false) is not null) return Foreign();
        if (state.Phase == KindPhase.Creating) return Removing(KindAction.HalfMade, "A run ended while it was being created.");
        var gone = state.Nodes.Where(s => !nodes.Any(n => n.Id == s.Value)).Select(s => s.Key).ToList();
        // Without a control plane the cluster has nothing left to lose.
        if (gone.Count > 0 && !nodes.Any(n => n.KindRole == NodeNames.ControlPlane && !gone.Contains(n.Name)))
            return Removing(KindAction.HalfMade, $"{string.Join(", ", gone)} {(gone.Count == 1 ? "is" : "are")} gone.");
        var there = state.Shape with { Nodes = [.. state.Shape.Nodes.Except(gone)] };
        List<KindDifference> differences = [.. Image(plan, nodes, state), .. there.Differences(plan.Shape)];
        if (differences.Count > 0) return Removing(KindAction.Differs, "") with { Differences = differences };
        if (stopped.Count == 0) return New(KindAction.Keep, "");
        var hasLostEtcd = state.Shape.EtcdInMemory && nodes.Any(n => !n.IsRunning && n.KindRole == NodeNames.ControlPlane);
        return hasLostEtcd ? Removing(KindAction.HalfMade, "Its etcd was in memory and was lost when the node stopped.")
            : New(KindAction.Start, "");

        KindVerdict New(KindAction action, string reason) => new() { Plan = plan, Action = action, Reason = reason, Stopped = stopped };

        KindVerdict Removing(KindAction action, string reason) =>
            KindOwnership.WhyForeign(state, nodes, toRemove: true) is null ? New(action, reason) : Foreign();

        KindVerdict Foreign() => New(KindAction.Foreign, KindOwnership.WhyForeign(state, nodes, toRemove: true)!)
            with { Differences = [.. Visible(plan, nodes)] };
    }

    /// <summary>
    /// Why the run must stop: MT2302 it differs, without --force; MT2303 it is foreign, without --adopt; MT2304 it is foreign and adopted,
    /// but differs, without --force, or its ranges could not be read. Null if the run may continue.
    /// </summary>
    public Problem? Refusal(bool force, bool adopt)
    {
        var differences = string.Join("; ", Differences);
        return Action switch
        {
            KindAction.Differs when !force => Refuse("MT2302", $"The existing cluster differs from the topology: {differences}.",
                "Revert the topology, or recreate the cluster with --force. Recreating it deletes everything in it."),
            KindAction.Foreign when !adopt => Refuse("MT2303",
                $"A kind cluster named '{Plan.Cluster}' already exists and was not created from this work directory. {Reason}",
                "Rename yours, pass --adopt to manage the existing one, or delete it: " +
                $"kind delete cluster --name {Plan.Cluster}."),
            KindAction.Foreign when Differences.Count == 0 && Plan.TakenOver is not { HasRanges: true } => Refuse("MT2304",
                "The cluster cannot be adopted: its pod and service ranges could not be read" +
                $"{(Stopped.Count > 0 ? $", and {string.Join(", ", Stopped)} {(Stopped.Count == 1 ? "is" : "are")} not running" : "")}.",
                $"Start its nodes and run again, or delete it: kind delete cluster --name {Plan.Cluster}."),
            KindAction.Foreign when Differences.Count > 0 && !force => Refuse("MT2304",
                $"The cluster cannot be adopted as it is: {differences}.",
                "Change the topology to match the cluster, or recreate it with --adopt --force. Recreating it deletes everything in it."),
            _ => null,
        };
    }

    private static IEnumerable<KindDifference> Visible(KindPlan plan, IReadOnlyList<EngineContainer> nodes)
    {
        foreach (var difference in Image(plan, nodes, null)) yield return difference;
        var names = nodes.Select(n => n.Name).Order(StringComparer.Ordinal).ToList();
        if (!names.SequenceEqual(plan.Nodes.Order(StringComparer.Ordinal)))
            yield return new KindDifference("nodes", string.Join(", ", names), string.Join(", ", plan.Nodes));
        var networks = nodes.SelectMany(n => n.Addresses.Keys).Distinct().ToList();
        if (networks.Count > 0 && !networks.Contains(plan.Shape.Network))
            yield return new KindDifference("network", string.Join(", ", networks), plan.Shape.Network);
        if (plan.TakenOver is not { HasRanges: true } found) yield break;
        var there = plan.Shape with
        {
            IpFamily = found.IpFamily,
            PodSubnets = [.. found.PodSubnets.Select(s => s.ToString())],
            ServiceSubnets = [.. found.ServiceSubnets.Select(s => s.ToString())],
        };
        foreach (var difference in there.Differences(plan.Shape)) yield return difference;
    }

    private static IEnumerable<KindDifference> Image(KindPlan plan, IReadOnlyList<EngineContainer> nodes, KindState? state)
    {
        var images = nodes.Where(n => n.KindRole is NodeNames.ControlPlane or NodeNames.Worker).Select(n => n.Image).Distinct();
        foreach (var image in images)
        {
            // A container created from an image id does not show the image's name.
            var there = image.StartsWith("sha256:", StringComparison.Ordinal) && state?.Image is { } made ? made : image;
            if (plan.AskedImage is { } asked && !IsSame(there, asked)) yield return new KindDifference("image", there, asked);
            if (KindVersion.Read(plan.AskedVersion) is { } wanted && KindVersion.OfImage(there) is { } running && !running.Fits(wanted))
                yield return new KindDifference("image", $"{there} (Kubernetes {running})", $"Kubernetes {wanted}");
        }
    }

    /// <summary>Whether two names mean the same image: digests decide if both have one.</summary>
    private static bool IsSame(string one, string other)
    {
        var (nameOne, digestOne) = Split(one);
        var (nameOther, digestOther) = Split(other);
        return digestOne is not null && digestOther is not null ? digestOne == digestOther : nameOne == nameOther;
        static (string Name, string? Digest) Split(string image)
        {
            var at = image.IndexOf('@', StringComparison.Ordinal);
            var name = at < 0 ? image : image[..at];
            return (name.StartsWith(Hub, StringComparison.Ordinal) ? name[Hub.Length..] : name, at < 0 ? null : image[(at + 1)..]);
        }
    }

    private Problem Refuse(string code, string message, string hint) => new(code, Plan.Cluster.Value, message, hint);
}
