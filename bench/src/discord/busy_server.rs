//! A large server with users and their messages.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use palabre_tests::discord::{Id, Options, StandIn};

pub(super) const PEOPLE: usize = 50_000;
/// With the five that every server of the stand-in has, 500: the most that Discord allows.
const CHANNELS: usize = 495;
/// Messages per second.
pub(super) const MESSAGES_PER_SECOND: usize = 2_000;
/// One of this many messages is a question: 20 answers per second, below Discord's limit of 50.
pub(super) const QUESTION_EVERY: usize = 100;

const CHATTER: [&str; 4] = [
    "has anybody tried the new build on the old laptop? mine takes ages to start",
    "déjà vu : la réunion est repoussée à demain 🎉, il faudra prévenir ceux qui étaient là",
    "good morning all! order 4711 shipped, see https://example.org/track/4711",
    "ok",
];

/// The time after which an answer counts as lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct BusyServer {
    pub(super) stand_in: StandIn,
    channels: Vec<String>,
}

impl BusyServer {
    /// Starts the stand-in with Discord's limits, and without its irregular frames.
    ///
    /// serenity drops frames that are not in the form that it knows.
    pub(super) async fn start() -> Option<Self> {
        let stand_in = StandIn::start_with(Options { roughness: 0.0, ..Options::default() }).await?;
        stand_in.crowd(PEOPLE);
        let channel = |number| stand_in.add_channel(&format!("channel{number}"), 0).to_string();
        let channels = (0..CHANNELS).map(channel).collect();
        Some(Self { stand_in, channels })
    }

    /// Waits until the bot is connected and answers, which has then loaded what it needs for that.
    pub(super) async fn wait_for_bot(&self) {
        self.stand_in.identified(1).await;
        self.counted(0).await;
    }

    /// Sends messages for some seconds, and returns the times of all `!ping`, by message id.
    pub(super) async fn talk(self, seconds: usize) -> HashMap<Id, Instant> {
        let (total, began) = (MESSAGES_PER_SECOND * seconds, Instant::now());
        let (mut said, mut asked) = (0, HashMap::new());
        while said < total {
            let due = ((began.elapsed().as_secs_f64() * MESSAGES_PER_SECOND as f64) as usize + 1).min(total);
            while said < due {
                let now = Instant::now();
                let asks = said % QUESTION_EVERY == 0;
                let id = self.says(said, if asks { "!ping" } else { CHATTER[said % CHATTER.len()] });
                if asks {
                    asked.insert(id, now);
                }
                said += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        asked
    }

    /// Sends one message. Users take turns, and the questions are spread over the channels.
    fn says(&self, number: usize, text: &str) -> Id {
        /// Coprime to [`PEOPLE`].
        const STRIDE: usize = 7_919;
        let who = format!("person{}", number * STRIDE % PEOPLE);
        let channel = &self.channels[(number + number / QUESTION_EVERY) % CHANNELS];
        self.stand_in.says(&who, channel, text)
    }

    /// Returns the latencies of the answers in nanoseconds, once all have arrived or are too late.
    pub(super) async fn delays(&self, asked: &HashMap<Id, Instant>) -> Histogram<u64> {
        let answers = || {
            let posts = self.channels.iter().flat_map(|channel| self.stand_in.posted(channel));
            posts.filter_map(|post| Some((post.reply_to()?, post.at))).collect::<HashMap<_, _>>()
        };
        let began = Instant::now();
        let mut found = answers();
        while found.len() < asked.len() && began.elapsed() < ANSWER_TIMEOUT {
            tokio::time::sleep(Duration::from_millis(200)).await;
            found = answers();
        }
        let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
        for (id, at) in found {
            let took = asked.get(&id).map(|said| at.saturating_duration_since(*said));
            let nanos = took.map(|took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            nanos.into_iter().for_each(|nanos| histogram.record(nanos).expect("a time"));
        }
        histogram
    }

    /// Returns the number of messages that the bot has counted.
    ///
    /// Waits until it reaches `said`, but no longer than [`ANSWER_TIMEOUT`].
    pub(super) async fn counted(&self, said: usize) -> usize {
        let began = Instant::now();
        loop {
            let question = self.stand_in.says("alice", "general", "!count");
            let answer = |stand_in: &StandIn| {
                let posts = stand_in.posted("general");
                posts.iter().find(|post| post.reply_to() == Some(question))?.text().parse().ok()
            };
            let counted = self.stand_in.until_within(ANSWER_TIMEOUT, "the bot's count", answer).await;
            if counted >= said || began.elapsed() > ANSWER_TIMEOUT {
                return counted;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
