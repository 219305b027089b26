//! The one place where questions are answered.
//!
//! ```text
//! answer = the tape's, while it lasts (replay.rs)
//!        | the strategy's, in the schedule lane (strategy/)
//!        | drawn evenly, in the other lanes (words.rs)
//!        | zero, when calm
//! ```
//!
//! `pick` and `choose` lie on the path of every task switch: a draw, a record, a mix of the hash. What is
//! not needed for a fresh run is out of line.

use crate::{
    After, Announced, Candidates, Divergence, Entropy, Kind, Lane, Path, Profile, Question, Record,
    Search, Seed, Strategy, Tape,
    exhaustive::Explorer,
    history::History,
    mix::{SplitMix, fold, mix},
    replay::Replay,
    strategy::Guide,
    words::Words,
};
use alloc::{boxed::Box, collections::BTreeMap, string::String, sync::Arc, vec::Vec};

/// Added to what is hashed. The low half of `RECORD` is above its high half, so that the word of a bound
/// and a lower answer never cancels it.
/// Of what [`Choices::chance`] counts.
const MILLION: u32 = 1_000_000;
const RECORD: u64 = 0x2d35_8dcc_aa6c_78a5;
const EVENT: u64 = 0x8bb8_4b93_962e_acc9;

/// The generators that draw how rare things are, beside those of the lanes.
const RARITY: u64 = 0x7261_7269_7479_0000;
/// The generator of the program's entropy, beside those of the lanes.
const ENTROPY: u64 = 0x656e_7472_6f70_7900;

/// Answers all questions of a run, keeps them, and hashes them. See the [crate] for the idea.
///
/// One value serves many runs, one after the other, and keeps its allocations. Until it is started it
/// is calm.
///
/// ```
/// use sim_choice::{After, Choices, Kind, Lane, Path, Seed, Strategy};
/// use std::{collections::BTreeMap, sync::Arc};
///
/// let mut choices = Choices::new();
/// let roll = |choices: &mut Choices| choices.choose(Lane::Input, Kind::Word, Path::MAIN, 6);
///
/// choices.start(Seed(1), Strategy::Random);
/// let (first, second) = (roll(&mut choices), roll(&mut choices));
/// let tape = Arc::new(choices.tape(BTreeMap::new()));
///
/// choices.start_with_prefix(tape, After::Calm);
/// assert_eq!((roll(&mut choices), roll(&mut choices)), (first, second));
/// assert_eq!(roll(&mut choices), 0, "the tape has ended");
/// assert!(choices.divergence().is_none());
/// ```
pub struct Choices {
    mode: Mode,
    hash: u64,
    records: Vec<Record>,
    lanes: [Words; Lane::COUNT],
    /// Apart from the lane of that name, so that a word is the same whether or not anything was replayed.
    entropy: Words,
    guide: Guide,
    history: History,
    replay: Replay,
    search: Option<Box<Search>>,
    seed: Seed,
}

/// Where answers come from, arranged by what the hot path has to know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Drawn; the schedule evenly too.
    Random,
    /// Drawn; the schedule by the guide.
    Guided,
    /// Zero.
    Calm,
    /// From a tape, then as the guide says.
    Replay,
    /// As an exhaustive search says.
    Search,
}

impl Mode {
    fn of(resolved: Strategy) -> Mode {
        match resolved {
            Strategy::Random => Mode::Random,
            Strategy::Calm | Strategy::Exhaustive => Mode::Calm,
            _ => Mode::Guided,
        }
    }
}

impl Choices {
    /// No run yet; [`start`](Choices::start) one.
    #[must_use]
    pub fn new() -> Choices {
        Choices {
            mode: Mode::Calm,
            hash: 0,
            records: Vec::new(),
            lanes: core::array::from_fn(|lane| Words::new(lane as u64)),
            entropy: Words::new(ENTROPY),
            guide: Guide::new(),
            history: History::default(),
            replay: Replay::default(),
            search: None,
            seed: Seed(0),
        }
    }

    /// Starts a fresh run. The former run's records are gone, their allocation is kept.
    #[inline]
    pub fn start(&mut self, seed: Seed, strategy: Strategy) {
        self.replay.clear();
        self.begin(seed, seed, strategy);
        self.mode = Mode::of(self.guide.resolved);
    }

    /// Starts a run that takes its answers from the tape, and `then` goes on.
    ///
    /// The seed of the run is the tape's, also if `then` names another to draw with, so that entropy is that
    /// of the recorded run.
    pub fn start_with_prefix(&mut self, tape: Arc<Tape>, then: After) {
        match then {
            After::Calm => self.begin(tape.seed, tape.seed, Strategy::Calm),
            After::Strategy(seed) => self.begin(tape.seed, seed, tape.strategy),
        }
        self.mode = Mode::Replay;
        self.replay.start(tape);
    }

    /// Gives the search whose runs are to follow.
    pub fn give_explorer(&mut self, explorer: Explorer) {
        self.search = Some(Box::new(Search::new(explorer)));
    }

    /// The search whose runs are to follow, or the last one of which has ended.
    pub fn explorer(&mut self) -> Option<&mut Explorer> {
        self.search.as_deref_mut().map(Search::explorer)
    }

    /// Takes the search back.
    pub fn take_explorer(&mut self) -> Option<Explorer> {
        self.search.take().map(|search| search.into_explorer())
    }

    /// Starts a run of the exhaustive search that was given, which has [begun](Explorer::begin) one. Entropy comes from
    /// the seed; all other answers stand on the run's tape, which needs no search to be replayed.
    pub fn start_search(&mut self, seed: Seed) {
        self.replay.clear();
        self.begin(seed, seed, Strategy::Exhaustive);
        self.mode = Mode::Search;
        if let Some(search) = &mut self.search {
            search.start();
        }
    }

    /// The search whose run this is.
    pub fn search(&mut self) -> Option<&mut Search> {
        self.search.as_deref_mut().filter(|_| self.mode == Mode::Search)
    }

    #[inline]
    fn begin(&mut self, seed: Seed, draw: Seed, strategy: Strategy) {
        self.hash = mix(!seed.0);
        self.records.clear();
        for words in &mut self.lanes {
            words.start(draw.0);
        }
        self.entropy.start(seed.0);
        self.guide.start(draw, strategy);
        self.history.start(self.guide.resolved.watches());
        self.seed = seed;
    }

    /// Asks a question of `bound` answers: 0, the calm one, to `bound - 1`.
    ///
    /// A bound of 0 or 1 leaves no choice: the answer is 0, nothing is drawn or recorded.
    #[inline]
    pub fn choose(&mut self, lane: Lane, kind: Kind, who: Path, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        let answer = match self.mode {
            Mode::Random | Mode::Guided => self.lanes[lane as usize].below(bound),
            Mode::Calm => 0,
            Mode::Replay => self.choose_again(Question { lane, kind, who, bound }),
            Mode::Search => self.choose_searched(kind, bound),
        };
        self.note(Record { lane, kind, who, bound, answer });
        answer
    }

    /// Asks whether something rare happens: 0 is no. How rare it is differs from run to run, once in 2, 4, ...
    /// or 64 times, as no one rate suits short programs and long ones.
    #[inline]
    pub fn now_and_then(&mut self, lane: Lane, kind: Kind, who: Path) -> bool {
        let happens = match self.mode {
            Mode::Random | Mode::Guided => self.lanes[lane as usize].below(self.rarity(lane)) == 0,
            Mode::Calm => false,
            Mode::Replay => self.now_and_then_again(Question { lane, kind, who, bound: 2 }),
            Mode::Search => self.choose_searched(kind, 2) == 1,
        };
        self.note(Record { lane, kind, who, bound: 2, answer: happens.into() });
        happens
    }

    /// Asks whether something happens that does `ppm` times in a million: 0 is no. What is never or always so is no
    /// choice. On the tape it has two answers, so that it reads as what it is, and a run can be looked at for how often
    /// it was yes.
    #[inline]
    pub fn chance(&mut self, lane: Lane, kind: Kind, who: Path, ppm: u32) -> bool {
        if ppm == 0 || ppm >= MILLION {
            return ppm > 0;
        }
        let happens = match self.mode {
            Mode::Random | Mode::Guided => self.lanes[lane as usize].below(MILLION) < ppm,
            Mode::Calm => false,
            Mode::Replay => self.chance_again(Question { lane, kind, who, bound: 2 }, ppm),
            Mode::Search => self.choose_searched(kind, 2) == 1,
        };
        self.note(Record { lane, kind, who, bound: 2, answer: happens.into() });
        happens
    }

    /// Once in how many times what is rare happens in this run.
    fn rarity(&self, lane: Lane) -> u32 {
        2 << SplitMix::new(self.seed.0, RARITY ^ lane as u64).below(6)
    }

    /// Asks which of the candidates runs, in the schedule lane, through the strategy: the index of one.
    ///
    /// Fewer than two leave no choice: the answer is 0, nothing is drawn or recorded, and no step is counted.
    #[inline]
    pub fn pick<C: Candidates>(&mut self, kind: Kind, who: Path, candidates: &C) -> u32 {
        let bound = candidates.len();
        if bound <= 1 {
            return self.pick_only(candidates);
        }
        let answer = match self.mode {
            Mode::Random => self.lanes[Lane::Schedule as usize].below(bound),
            Mode::Guided => self.pick_guided(candidates),
            Mode::Calm => 0,
            Mode::Search => self.pick_searched(candidates),
            Mode::Replay => {
                self.pick_again(Question { lane: Lane::Schedule, kind, who, bound }, candidates)
            }
        };
        self.note(Record { lane: Lane::Schedule, kind, who, bound, answer });
        answer
    }

    /// Gives the strategies that count what is known of the program. It holds from the next start on, until
    /// another is given; at first nothing is known.
    pub fn set_profile(&mut self, profile: Arc<Profile>) {
        self.guide.set_profile(profile);
    }

    /// Asks to be told of what happens in the run that has just been started, for its [`class`](Choices::class).
    pub fn watch(&mut self) {
        self.history.on = true;
    }

    /// As [`watch`](Choices::watch), and so that a [`Profile`] can be made of the run.
    pub fn learn(&mut self) {
        (self.history.on, self.history.learning) = (true, true);
    }

    /// Whether [`goes_on`](Choices::goes_on), [`name`](Choices::name), [`woken`](Choices::woken) and
    /// [`ended`](Choices::ended) have to be called in this run. It does not change within one.
    #[inline]
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.history.on || self.mode == Mode::Search
    }

    /// Tells the strategy of a new task: its number in order of spawning, and that of the task which
    /// spawned it, if any did.
    #[inline]
    pub fn spawned(&mut self, task: u32, parent: Option<u32>) {
        if self.history.on {
            self.history.spawned(task, parent);
        }
        if let Some(search) = self.search() {
            search.spawned(task, parent);
        }
        self.guide.spawned(&mut self.lanes[Lane::Schedule as usize], task, &self.history);
    }

    /// Tells where the task of that number, just spawned, was spawned: by a hash that is the same in every run.
    pub fn name_task(&mut self, task: u32, origin: u64) {
        if !self.history.on {
            return;
        }
        self.history.set_kind(task, origin);
    }

    /// Tells what the object of that number, about to be touched, is called: by a hash of where it was
    /// created, which is the same in every run. It is asked for once a run.
    #[inline]
    pub fn name(&mut self, object: u32, origin: impl FnOnce() -> u64) {
        if let Some(search) = self.search() {
            return search.name(object, origin);
        }
        let is_task = object & Announced::TASK != 0;
        if object != 0 && !is_task && !self.history.knows(object) {
            self.history.name(object, origin());
        }
    }

    /// Tells that a task goes on: with the step that it has announced, or into a turn, when it was woken or is
    /// new. To be called after each pick, also where there was but one candidate.
    pub fn goes_on(&mut self, task: u32, step: Option<Announced>) {
        if self.mode == Mode::Search {
            return; // It knows whom it has picked.
        }
        self.history.goes_on(task, step);
        self.guide.goes_on(task, step, &self.history);
    }

    /// Tells that a waiting task has become ready, by what another does or by the clock.
    pub fn woken(&mut self, task: u32, by: Option<u32>) {
        if let Some(search) = self.search() {
            return search.woken(task);
        }
        self.history.woken(task, by);
    }

    /// Tells that a task has ended.
    pub fn ended(&mut self, task: u32) {
        if let Some(search) = self.search() {
            return search.ended(task);
        }
        self.history.ended(task);
        self.guide.ended(task);
    }

    /// The class of the run so far: equal for two runs that differ only in the order of steps which do not
    /// touch each other. None if the run is not [watched](Choices::watch).
    ///
    /// It is a hash; what a program draws at random does not go in.
    #[must_use]
    pub fn class(&self) -> Option<u64> {
        self.history.on.then(|| self.history.class())
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// A random word for the program under test.
    ///
    /// It comes from the seed in calm runs and replays too, as zeros would make every random id equal. It
    /// is part of the hash, not of the tape.
    pub fn entropy_word(&mut self) -> u64 {
        let low = self.entropy.word();
        let word = u64::from(low) | (u64::from(self.entropy.word()) << 32);
        self.event(word);
        word
    }

    /// Fills the buffer with random bytes for the program under test, as [`entropy_word`](Choices::entropy_word)
    /// would: eight bytes of a word, least significant first; a rest takes a word of its own.
    pub fn fill_entropy(&mut self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            let word = self.entropy_word().to_le_bytes();
            part.copy_from_slice(&word[..part.len()]);
        }
    }

    /// As [`entropy_word`](Choices::entropy_word), of a stream of its own.
    pub fn entropy_word_of(&mut self, stream: &mut Entropy) -> u64 {
        let word = stream.word();
        self.event(word);
        word
    }

    /// Folds anything that happened into the hash.
    #[inline]
    pub fn event(&mut self, value: u64) {
        self.hash = fold(self.hash ^ value, EVENT).wrapping_add(value);
    }

    /// The hash of the run so far: of its seed, all choices with what was asked, events and entropy.
    #[inline]
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The choices so far.
    #[inline]
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The run so far as a tape, with the given text of paths.
    #[must_use]
    pub fn tape(&self, names: BTreeMap<Path, String>) -> Tape {
        Tape {
            seed: self.seed,
            strategy: self.guide.resolved,
            records: self.records.clone(),
            names,
        }
    }

    /// The seed of the run, in a replay the tape's.
    #[inline]
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The strategy of the run, never [`Strategy::Portfolio`]; in a replay the one that goes on after the tape.
    #[inline]
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.guide.resolved
    }

    /// The name of [`strategy`](Choices::strategy).
    #[must_use]
    pub fn strategy_name(&self) -> &'static str {
        self.guide.resolved.name()
    }

    /// Where this replay first asked something else than the tape has; none if it did not, or is no replay.
    /// What is asked after the tape's end is no divergence.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.replay.divergence().cloned()
    }

    #[inline]
    fn note(&mut self, record: Record) {
        let Record { lane, kind, who, bound, answer } = record;
        assert!(answer < bound, "an answer is below its bound");
        let asked = (u64::from(who.0) << 32) | (u64::from(kind as u8) << 8) | u64::from(lane as u8);
        let answered = (u64::from(bound) << 32) | u64::from(answer);
        self.hash = fold(self.hash ^ asked, RECORD ^ answered);
        self.records.push(record);
    }

    /// There is nobody else: nothing is asked, but a search counts the step.
    #[inline]
    fn pick_only<C: Candidates>(&mut self, candidates: &C) -> u32 {
        if self.mode == Mode::Search && !candidates.is_empty() {
            self.pick_searched(candidates);
        }
        0
    }

    #[cold]
    #[inline(never)]
    fn pick_searched<C: Candidates>(&mut self, candidates: &C) -> u32 {
        self.search.as_deref_mut().map_or(0, |search| search.pick(candidates))
    }

    /// A step costs nothing in a search: time passes when nothing can go on.
    #[cold]
    #[inline(never)]
    fn choose_searched(&mut self, kind: Kind, bound: u32) -> u32 {
        let search = self.search.as_deref_mut().filter(|_| kind != Kind::StepCost);
        search.map_or(0, |search| search.choose(bound))
    }

    #[inline(never)]
    fn pick_guided<C: Candidates>(&mut self, candidates: &C) -> u32 {
        self.guide.pick(&mut self.lanes[Lane::Schedule as usize], candidates, &self.history)
    }

    #[cold]
    #[inline(never)]
    fn choose_again(&mut self, asked: Question) -> u32 {
        match self.replay.answer(asked) {
            Some(answer) => answer,
            None if self.guide.resolved == Strategy::Calm => 0,
            None => self.lanes[asked.lane as usize].below(asked.bound),
        }
    }

    #[cold]
    #[inline(never)]
    fn now_and_then_again(&mut self, asked: Question) -> bool {
        match self.replay.answer(asked) {
            Some(answer) => answer == 1,
            None if self.guide.resolved == Strategy::Calm => false,
            None => self.lanes[asked.lane as usize].below(self.rarity(asked.lane)) == 0,
        }
    }

    #[cold]
    #[inline(never)]
    fn chance_again(&mut self, asked: Question, ppm: u32) -> bool {
        match self.replay.answer(asked) {
            Some(answer) => answer == 1,
            None if self.guide.resolved == Strategy::Calm => false,
            None => self.lanes[asked.lane as usize].below(MILLION) < ppm,
        }
    }

    #[cold]
    #[inline(never)]
    fn pick_again<C: Candidates>(&mut self, asked: Question, candidates: &C) -> u32 {
        match self.replay.answer(asked) {
            Some(answer) => answer,
            None => self.pick_guided(candidates),
        }
    }
}

impl Default for Choices {
    fn default() -> Choices {
        Choices::new()
    }
}
