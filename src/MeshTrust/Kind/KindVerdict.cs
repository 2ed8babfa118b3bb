namespace MeshTrust.Kind;

/// <summary>What is to be done about one cluster.</summary>
internal enum KindAction
{
    Create,
    Keep,
    Start,

    /// <summary>It is ours and differs from what is wanted: it stays unless the user forces it.</summary>
    Differs,

    /// <summary>MeshTrust did not make it, or not from this work directory: it is not touched unless the user says so.</summary>
    Foreign,

    /// <summary>It is ours and half there: a run was ended while it was made, or its control planes are gone. It is made anew.</summary>
    HalfMade,
}

/// <summary>Whose the nodes of a kind cluster are.</summary>
internal static class KindOwnership
{
    /// <summary>The clock of an engine in a virtual machine may be a little behind.</summary>
    private static readonly TimeSpan Drift = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Why a cluster is not ours, as a sentence; null where it is. One known node is enough to keep and start a cluster; what removes it
    /// needs every node to be known, or, of one that was never finished, to be younger than the try to make it.
    /// </summary>
    public static string? WhyForeign(KindState? state, IReadOnlyList<EngineContainer> nodes, bool toRemove)
    {
        if (state is null)
            return "This work directory knows nothing of it: another program made it, or MeshTrust from another work directory.";
        if (state.Phase == KindPhase.Creating)
        {
            var older = nodes.Where(node => node.Created < state.Started - Drift).ToList();
            return older.Count == 0 ? null
                : $"{Names(older)} {(older.Count == 1 ? "is" : "are")} older than MeshTrust's own try to make this cluster.";
        }

        var strangers = nodes.Where(node => !state.Nodes.Values.Contains(node.Id, StringComparer.Ordinal)).ToList();
        return strangers.Count == 0 || (!toRemove && strangers.Count < nodes.Count) ? null
            : $"Somebody made {Names(strangers)} anew since MeshTrust made this cluster.";
    }

    private static string Names(List<EngineContainer> nodes) => string.Join(", ", nodes.Select(node => node.Name));
}

/// <summary>What is to be done about one cluster, and why.</summary>
internal sealed record KindVerdict
{
    // Podman and docker name the same image with and without it.
    private const string Hub = "docker.io/";

    private KindVerdict()
    {
    }

    public required KindPlan Plan { get; init; }
    public required KindAction Action { get; init; }

    /// <summary>In what a cluster that is there differs; for a foreign one, as far as its containers show. Empty where it fits.</summary>
    public IReadOnlyList<KindDifference> Differences { get; init; } = [];
    public IReadOnlyList<string> Stopped { get; init; } = [];

    /// <summary>Why it is made, half made or foreign, as a sentence; empty where there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>
    /// Whether acting on it means creating the cluster, after what there is was removed: it is not there, half there, or differs and is not
    /// refused.
    /// </summary>
    public bool Creates => Action is KindAction.Create or KindAction.HalfMade || Differences.Count > 0;

    /// <summary>Judges one cluster. The state is what this work directory says was made; null for nothing.</summary>
    public static KindVerdict Of(KindPlan plan, EngineSnapshot snapshot, KindState? state)
    {
        var nodes = snapshot.NodesOf(plan.Cluster.Value);
        var stopped = nodes.Where(n => !n.IsRunning).Select(n => n.Name).ToList();
        if (nodes.Count == 0) return New(KindAction.Create, state?.Phase == KindPhase.Ready ? "Its containers are gone." : "");
        if (state is null || KindOwnership.WhyForeign(state, nodes, toRemove: false) is not null) return Foreign();
        if (state.Phase == KindPhase.Creating) return Removing(KindAction.HalfMade, "A run ended while it was being made.");
        var gone = state.Nodes.Where(s => !nodes.Any(n => n.Id == s.Value)).Select(s => s.Key).ToList();
        // Without a control plane nothing of the cluster is left to lose.
        if (gone.Count > 0 && !nodes.Any(n => n.KindRole == NodeNames.ControlPlane && !gone.Contains(n.Name)))
            return Removing(KindAction.HalfMade, $"{string.Join(", ", gone)} {(gone.Count == 1 ? "is" : "are")} gone.");
        var there = state.Shape with { Nodes = [.. state.Shape.Nodes.Except(gone)] };
        List<KindDifference> differences = [.. Image(plan, nodes, state), .. there.Differences(plan.Shape)];
        if (differences.Count > 0) return Removing(KindAction.Differs, "") with { Differences = differences };
        if (stopped.Count == 0) return New(KindAction.Keep, "");
        var hasLostEtcd = state.Shape.EtcdInMemory && nodes.Any(n => !n.IsRunning && n.KindRole == NodeNames.ControlPlane);
        return hasLostEtcd ? Removing(KindAction.HalfMade, "Its etcd lay in memory and went when the node stopped.")
            : New(KindAction.Start, "");

        KindVerdict New(KindAction action, string reason) => new() { Plan = plan, Action = action, Reason = reason, Stopped = stopped };

        KindVerdict Removing(KindAction action, string reason) =>
            KindOwnership.WhyForeign(state, nodes, toRemove: true) is null ? New(action, reason) : Foreign();

        KindVerdict Foreign() => New(KindAction.Foreign, KindOwnership.WhyForeign(state, nodes, toRemove: true)!) with
        {
            Differences = [.. Visible(plan, nodes)],
        };
    }

    /// <summary>
    /// The refusal: MT2302 it differs and the user does not force it, MT2303 it is foreign and the user does not adopt it, MT2304 it is
    /// foreign, adopted and differs, and the user does not force it, or nobody could read its ranges; null where the run may go on.
    /// </summary>
    public Problem? Refusal(bool force, bool adopt)
    {
        var differences = string.Join("; ", Differences);
        return Action switch
        {
            KindAction.Differs when !force => Refuse("MT2302", $"The cluster is there and differs from what is wanted: {differences}.",
                "Put the topology back, or let it be made anew with --force: everything in the cluster is lost then."),
            KindAction.Foreign when !adopt => Refuse("MT2303",
                $"A kind cluster of this name is there that MeshTrust did not make here. {Reason}",
                "Give this one another name, take the other over with --adopt, or remove it yourself: " +
                $"kind delete cluster --name {Plan.Cluster}."),
            KindAction.Foreign when Differences.Count == 0 && Plan.TakenOver is not { HasRanges: true } => Refuse("MT2304",
                "The cluster cannot be adopted: which ranges its pods and services have could not be read" +
                $"{(Stopped.Count > 0 ? $", and {string.Join(", ", Stopped)} {(Stopped.Count == 1 ? "does" : "do")} not run" : "")}.",
                $"Start its nodes and run again; or remove it yourself: kind delete cluster --name {Plan.Cluster}."),
            KindAction.Foreign when Differences.Count > 0 && !force => Refuse("MT2304",
                $"The cluster cannot be adopted as it is: {differences}.",
                "Change the topology to what is there, or add --force to --adopt: the cluster is then made anew, and everything in it is " +
                    "lost."),
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
            // A container that was made by an id does not tell its image's name.
            var there = image.StartsWith("sha256:", StringComparison.Ordinal) && state?.Image is { } made ? made : image;
            if (plan.AskedImage is { } asked && !IsSame(there, asked)) yield return new KindDifference("image", there, asked);
            if (KindVersion.Read(plan.AskedVersion) is { } wanted && KindVersion.OfImage(there) is { } running && !running.Fits(wanted))
                yield return new KindDifference("image", $"{there} (Kubernetes {running})", $"Kubernetes {wanted}");
        }
    }

    /// <summary>Whether two names mean one image: a digest counts where both have one.</summary>
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
