
namespace MeshTrust.Kind;

/// <summary>What is to be done about one cluster, and why.</summary>
public sealed record KindVerdict
{
    // Podman and docker name the same image with and without it.
    private const string Hub = "docker.io/";

    private KindVerdict()
    {
    }

    /// <summary>The plan that was judged.</summary>
    public required KindPlan Plan { get; init; }

    /// <summary>What is to be done.</summary>
    public required KindAction Action { get; init; }

    /// <summary>In what a cluster that is there differs; for a foreign one, as far as its containers show. Empty where it fits.</summary>
    public IReadOnlyList<KindDifference> Differences { get; init; } = [];

    /// <summary>Whether acting on it means making the cluster, after what there is was removed: it is not there, half there, or differs and is not refused.</summary>
    public bool MakesAnew => Action is KindAction.Create or KindAction.HalfMade || Differences.Count > 0;

    /// <summary>Its containers that do not run.</summary>
    public IReadOnlyList<string> Stopped { get; init; } = [];

    /// <summary>Why it is made, half made or foreign, as a sentence; empty where there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Judges one cluster.</summary>
    /// <param name="plan">What is wanted.</param>
    /// <param name="snapshot">What the engine has.</param>
    /// <param name="state">What this work directory says was made; null for nothing.</param>
    public static KindVerdict Of(KindPlan plan, EngineSnapshot snapshot, KindState? state)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(snapshot);
        var nodes = snapshot.NodesOf(plan.Cluster.Value);
        var stopped = nodes.Where(n => !n.IsRunning).Select(n => n.Name).ToList();
        if (nodes.Count == 0) return New(KindAction.Create, state?.Phase == KindPhase.Ready ? "Its containers are gone." : "");
        if (WhyForeign(nodes, state) is { } foreign) return New(KindAction.Foreign, foreign) with { Differences = [.. Visible(plan, nodes)] };
        if (state!.Phase == KindPhase.Creating) return New(KindAction.HalfMade, "A run ended while it was being made.");
        var gone = state.Nodes.Where(s => !nodes.Any(n => n.Id == s.Value)).Select(s => s.Key).ToList();
        // Without a control plane nothing of the cluster is left to lose.
        if (gone.Count > 0 && !nodes.Any(n => n.KindRole == NodeNames.ControlPlane && !gone.Contains(n.Name))) return New(KindAction.HalfMade, $"{string.Join(", ", gone)} {(gone.Count == 1 ? "is" : "are")} gone.");
        var there = state.Shape with { Nodes = [.. state.Shape.Nodes.Except(gone)] };
        List<KindDifference> differences = [.. Image(plan, nodes, state), .. there.Differences(plan.Shape)];
        if (differences.Count > 0) return New(KindAction.Differs, "") with { Differences = differences };
        if (stopped.Count == 0) return New(KindAction.Keep, "");
        var hasLostEtcd = state.Shape.EtcdInMemory && nodes.Any(n => !n.IsRunning && n.KindRole == NodeNames.ControlPlane);
        return hasLostEtcd ? New(KindAction.HalfMade, "Its etcd lay in memory and went when the node stopped.") : New(KindAction.Start, "");

        KindVerdict New(KindAction action, string reason) => new() { Plan = plan, Action = action, Reason = reason, Stopped = stopped };
    }

    /// <summary>
    /// The refusal: MT2302 it differs and the user does not force it, MT2303 it is foreign and the user does not adopt it, MT2304 it is foreign,
    /// adopted and differs, and the user does not force it, or nobody could read its ranges; null where the run may go on.
    /// </summary>
    /// <param name="force">Whether the user lets clusters be made anew.</param>
    /// <param name="adopt">Whether the user lets clusters be taken over that MeshTrust did not make.</param>
    public Problem? Refusal(bool force, bool adopt)
    {
        var differences = string.Join("; ", Differences);
        return Action switch
        {
            KindAction.Differs when !force => Refuse("MT2302", $"The cluster is there and differs from what is wanted: {differences}.", "Put the topology back, or let it be made anew with --force: everything in the cluster is lost then."),
            KindAction.Foreign when !adopt => Refuse("MT2303", $"A kind cluster of this name is there that MeshTrust did not make here. {Reason}", "Give this one another name, take the other over with --adopt, or remove it yourself: kind delete cluster --name " + Plan.Cluster + "."),
            KindAction.Foreign when Differences.Count == 0 && Plan.TakenOver is not { HasRanges: true } => Refuse("MT2304", $"The cluster cannot be adopted: which ranges its pods and services have could not be read{(Stopped.Count > 0 ? $", and {string.Join(", ", Stopped)} {(Stopped.Count == 1 ? "does" : "do")} not run" : "")}.", $"Start its nodes and run again; or remove it yourself: kind delete cluster --name {Plan.Cluster}."),
            KindAction.Foreign when Differences.Count > 0 && !force => Refuse("MT2304", $"The cluster cannot be adopted as it is: {differences}.", "Change the topology to what is there, or add --force to --adopt: the cluster is then made anew, and everything in it is lost."),
            _ => null,
        };
    }

    /// <summary>Whether a cluster that is there is somebody else's.</summary>
    /// <param name="nodes">Its containers; there is one at least.</param>
    /// <param name="state">What this work directory says was made; null for nothing.</param>
    public static bool IsForeign(IReadOnlyList<EngineContainer> nodes, KindState? state)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        return WhyForeign(nodes, state) is not null;
    }

    private static string? WhyForeign(IReadOnlyList<EngineContainer> nodes, KindState? state)
    {
        if (state is null) return "This work directory knows nothing of it: another program made it, or MeshTrust from another work directory.";
        if (state.Phase == KindPhase.Creating)
        {
            // The engine's clock may differ by a little from ours.
            return nodes.FirstOrDefault(n => n.Created < state.Started.AddMinutes(-2)) is { } old ? $"{old.Name} is older than the run that was to make it." : null;
        }

        return nodes.Any(n => state.Nodes.Values.Contains(n.Id)) ? null : "Its containers are others than those that MeshTrust made: somebody removed the cluster and made another of that name.";
    }

    /// <summary>What shows of a cluster without asking its API server, and what was read of its ranges.</summary>
    private static IEnumerable<KindDifference> Visible(KindPlan plan, IReadOnlyList<EngineContainer> nodes)
    {
        foreach (var difference in Image(plan, nodes, null)) yield return difference;
        var names = nodes.Select(n => n.Name).Order(StringComparer.Ordinal).ToList();
        if (!names.SequenceEqual(plan.Nodes.Order(StringComparer.Ordinal))) yield return new KindDifference("nodes", string.Join(", ", names), string.Join(", ", plan.Nodes));
        var networks = nodes.SelectMany(n => n.Addresses.Keys).Distinct().ToList();
        if (networks.Count > 0 && !networks.Contains(plan.Shape.Network)) yield return new KindDifference("network", string.Join(", ", networks), plan.Shape.Network);
        if (plan.TakenOver is not { HasRanges: true } found) yield break;
        var there = plan.Shape with { IpFamily = found.IpFamily, PodSubnets = [.. found.PodSubnets.Select(s => s.ToString())], ServiceSubnets = [.. found.ServiceSubnets.Select(s => s.ToString())] };
        foreach (var difference in there.Differences(plan.Shape)) yield return difference;
    }

    private static IEnumerable<KindDifference> Image(KindPlan plan, IReadOnlyList<EngineContainer> nodes, KindState? state)
    {
        foreach (var image in nodes.Where(n => n.KindRole is NodeNames.ControlPlane or NodeNames.Worker).Select(n => n.Image).Distinct())
        {
            // A container that was made by an id does not tell its image's name.
            var there = image.StartsWith("sha256:", StringComparison.Ordinal) && state?.Image is { } made ? made : image;
            if (plan.AskedImage is { } asked && !IsSame(there, asked)) yield return new KindDifference("image", there, asked);
            if (plan.AskedVersion is { } version && KindVersion.Read(version) is { } wanted && KindVersion.OfImage(there) is { } running && !running.Fits(wanted))
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

    private Problem Refuse(string id, string what, string remedy) => new(id, Plan.Cluster.Value, what, remedy);
}
