using Cake.Frosting;
using Cake.Frosting.MeshTrust;

namespace Build.Tasks;

/// <summary>What runs when no target is given.</summary>
[TaskName("Default")]
[TaskDescription("Runs Verify: what happens when no target is given")]
[IsDependentOn(typeof(VerifyTask))]
public sealed class DefaultTask : FrostingTask;
