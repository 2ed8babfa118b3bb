using Cake.Core;

namespace Cake.Frosting;

/// <summary>Prepares and ends a run. For any context.</summary>
public abstract class FrostingLifetime : FrostingLifetime<ICakeContext>
{
}

/// <summary>Prepares and ends a run.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingLifetime<TContext> : IFrostingLifetime
    where TContext : ICakeContext
{
    /// <summary>Called before the first task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">What will run.</param>
    public abstract void Setup(TContext context, ISetupContext info);

    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    public abstract void Teardown(TContext context, ITeardownContext info);

    void IFrostingSetup.Setup(ICakeContext context, ISetupContext info) => Setup((TContext)context, info);

    void IFrostingTeardown.Teardown(ICakeContext context, ITeardownContext info) => Teardown((TContext)context, info);
}
